"""The `cvrl` command: verbs in `main`, everything they need to talk to a person or a program beside it."""
