"""What no emulator can prove: `./aws_setup.sh verify` runs a list of checks on a set-up of its own, and removes it.

    python -m scripts.verify --help

`checks.CHECKS` is the list. `runner` runs it, `report` shows it, `account` is the set-up that the checks work on, and
the functions of the checks stand by their subject: `lifecycle`, `messages`, `storage`, `images`, `machines`, `rights`
and `lasting`.
"""
