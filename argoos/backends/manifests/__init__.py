"""The backend `manifests`: a folder, or a git work tree, of Kubernetes manifests and stack files.

`ManifestsBackend` (`backend.py`) is its only class that others construct. What is pure is apart from what touches
files: `nodes.py` (YAML as nodes that know their place), `documents.py` (nodes to workloads), `edit.py` (new images
into a text) and `message.py` (what a commit says) are pure; `folder.py` reads, `files.py` writes, `git.py`,
`worktree.py` and `remote.py` run git.
"""
