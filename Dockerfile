# The image of the daemon: docker build -t argoos:0.1.0 .
#
# BASE may be any image that has Python 3.11 or later as python3, and pip.
# To build without a network, let the same base put the wheels beside this file first, and then tell pip to look nowhere
# else:
#   docker run --rm -v "$PWD:/src" -w /src python:3.13-slim \
#     pip download --only-binary :all: --dest wheels -r requirements/runtime.txt -r requirements/build.txt
#   docker build --build-arg PIP_NO_INDEX=1 -t argoos:0.1.0 .
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
ARG PIP_NO_INDEX
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_FIND_LINKS=/build/wheels
WORKDIR /build
# The pattern lets there be no folder `wheels`; what is in it lands beside the two files.
COPY requirements/runtime.txt requirements/build.txt wheels* /build/wheels/
# --only-binary: nothing is compiled here, and no package's own code runs while it is installed. What `find` removes is
# a fifth of the size: the byte code of modules of the Kubernetes client that Argoos never loads.
RUN python3 -m venv --without-pip /opt/argoos \
 && python3 -m venv --without-pip /build/tools \
 && pip --python /opt/argoos/bin/python install --require-hashes --only-binary :all: -r wheels/runtime.txt \
 && pip --python /build/tools/bin/python install --require-hashes --only-binary :all: -r wheels/build.txt \
 && find /opt/argoos -path '*/kubernetes/*' -regex '.*/\(api\|models\)/__pycache__' -prune -exec rm -r {} +
COPY pyproject.toml README.md LICENSE /build/
COPY argoos /build/argoos
RUN pip --python /build/tools/bin/python wheel --no-deps --no-build-isolation --wheel-dir /build/dist /build \
 && pip --python /opt/argoos/bin/python install --no-deps --no-index /build/dist/*.whl

FROM ${BASE}
LABEL org.opencontainers.image.title="Argoos" \
      org.opencontainers.image.description="A push to your registry rolls out to the workloads whose label allows it" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/argoos /opt/argoos
# A number, not a name: Kubernetes cannot tell that a named user is not root.
RUN install -d -o 65532 -g 65532 /var/lib/argoos
USER 65532:65532
# The default database, sqlite:///argoos.db, lies in the working directory. No ARGOOS_DATABASE here: it would overrule
# the settings file. HEALTH_URL is for the check below alone; change it with `listen` or when HTTPS is served.
WORKDIR /var/lib/argoos
ENV PATH=/opt/argoos/bin:$PATH \
    HOME=/var/lib/argoos \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HEALTH_URL=http://127.0.0.1:3000/healtz
VOLUME /var/lib/argoos
EXPOSE 3000
STOPSIGNAL SIGTERM
# Past any proxy, and whatever name the certificate is for: it asks this very container.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, ssl, urllib.request as u; u.build_opener(u.ProxyHandler({}), u.HTTPSHandler(context=ssl._create_unverified_context())).open(os.environ['HEALTH_URL'], timeout=4)"]
ENTRYPOINT ["argoos"]
CMD ["serve"]
