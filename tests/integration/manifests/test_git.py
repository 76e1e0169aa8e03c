"""Telling git's failures apart, by what it said."""

import pytest

from argoos.backends.manifests.git import Answer
from argoos.errors import Forbidden, PermanentError, TemporaryError

SAID = {
    "fatal: unable to access 'https://git.example.com/d.git/': Could not resolve host: git.example.com": TemporaryError,
    "fatal: unable to access 'https://git.example.com/d.git/': The requested URL returned error: 503": TemporaryError,
    "ssh: connect to host git.example.com port 22: Connection refused\nfatal: Could not read from remote repository.\n"
    "\nPlease make sure you have the correct access rights\nand the repository exists.": TemporaryError,
    "fatal: '/srv/deploy.git' does not appear to be a git repository": TemporaryError,
    "error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: early EOF": TemporaryError,
    "fatal: Unable to create '/srv/d/.git/index.lock': File exists.\n\nAnother git process seems to be": TemporaryError,
    "fatal: cannot do a partial commit during a merge.": TemporaryError,
    "fatal: unable to access 'https://git.example.com/d.git/': The requested URL returned error: 403": Forbidden,
    "git@git.example.com: Permission denied (publickey).\nfatal: Could not read from remote repository.": Forbidden,
    "fatal: could not read Username for 'https://git.example.com': terminal prompts disabled": Forbidden,
    "remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://git.example.com/d.git/'": Forbidden,
    "Host key verification failed.\nfatal: Could not read from remote repository.": Forbidden,
    "fatal: detected dubious ownership in repository at '/srv/d'": Forbidden,
    " ! [remote rejected] main -> main (pre-receive hook declined)\nerror: failed to push some refs": PermanentError,
    "remote: error: GH006: Protected branch update failed for refs/heads/main.": PermanentError,
    "no changes on Fridays": PermanentError,
    "": PermanentError,
}


@pytest.mark.parametrize("said", SAID, ids=lambda said: said[:50] or "nothing")
def test_who_must_act(said: str) -> None:
    """A network that is away passes; a refusal needs somebody; the message says what git said."""
    error = Answer(code=128, output="", complaint=said).error("the branch main was not pushed")
    assert type(error) is SAID[said]
    assert str(error).startswith("the branch main was not pushed: ")
    assert " ".join((said or "it ended with code 128").split()) in str(error)


OVERTAKEN = {
    " ! [rejected]        main -> main (fetch first)\nerror: failed to push some refs": True,
    " ! [rejected]        main -> main (non-fast-forward)": True,
    " ! [remote rejected] main -> main (cannot lock ref 'refs/heads/main': is at 1 but expected 2)": True,
    " ! [remote rejected] main -> main (failed to update ref)": True,
    " ! [remote rejected] main -> main (pre-receive hook declined)": False,
    "fatal: Could not read from remote repository.": False,
}


@pytest.mark.parametrize("said", OVERTAKEN, ids=lambda said: said[:70].strip())
def test_who_was_faster(said: str) -> None:
    """Only a push that came too late is worth a rebase."""
    assert Answer(code=1, output="", complaint=said).overtaken is OVERTAKEN[said]


def test_no_credentials_in_a_message() -> None:
    """Whatever git quotes of an address, user and password are left out."""
    said = "fatal: unable to access 'https://robin:hunter2@git.example.com/d.git/' and ssh://robin@git.example.com"
    assert Answer(code=128, output="", complaint=said).cause == (
        "fatal: unable to access 'https://***@git.example.com/d.git/' and ssh://***@git.example.com"
    )
