"""The stable words for "why not". The same in code, API, command line, metrics and docs."""

from argoos.core.word import Word


class Reason(Word):
    """Why a container is not moved to a candidate. `meaning` is the sentence that the reference prints for it."""

    NOT_NEWER = "not-newer", "The candidate is older than what runs, or the same version."
    BEYOND_POLICY = "beyond-policy", "The candidate is further away than the policy allows."
    NOT_A_VERSION = "not-a-version", "The candidate's tag is no version, and the policy compares versions."
    CURRENT_NOT_A_VERSION = (
        "current-not-a-version",
        "What runs has no version to compare with; only the policies all and digest move it.",
    )
    PRERELEASE = "prerelease", "The candidate is a pre-release, less mature than this container takes."
    VARIANT_DIFFERS = (
        "variant-differs",
        "The candidate is of another variant (alpine, debian-12 …) or channel (dev, nightly …) than what runs.",
    )
    TAG_FILTERED = "tag-filtered", "The candidate's tag is not among those that argoos.io/tags admits."
    NEVER = "never", "The policy of this container is never."
    INVALID_POLICY = "invalid-policy", "A label of the workload has a value that means nothing; the detail says which."
    ALREADY_RUNNING = "already-running", "The container runs just this tag and digest."
    SUPERSEDED = "superseded", "Another push of the same repository is the better candidate, or the later one."
