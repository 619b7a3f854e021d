#!/usr/bin/env bash
#
# run_tests.sh: set everything up, then lint, types, shell, tests and coverage, in that order.
#
# usage: ./run_tests.sh [PYTEST ARGUMENTS]
#
# With arguments, only pytest runs, with them: ./run_tests.sh tests/unit -k wire
# Exit status: that of the first check that fails.

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

step() { printf '\n== %s\n' "$*"; }

check() {
  step "$@"
  "$@"
}

main() {
  case ${1:-} in
    -h | --help)
      awk 'NR > 2 && /^#/ { sub(/^# ?/, ""); print; next } NR > 2 { exit }' "$0"
      return
      ;;
  esac
  ./run_local.sh setup
  export PATH="$PWD/.venv/bin:$PATH"
  if (($#)); then
    python -m pytest "$@"
    return
  fi
  # The parts of aws_setup.sh are checked where they are sourced.
  local programs=(./*.sh .ci/run setup/on_machine/*.sh)
  check ruff check .
  check ruff format --check .
  check mypy
  check shellcheck --severity=warning --external-sources --check-sourced "${programs[@]}"
  check shfmt -d -i 2 -ci "${programs[@]}" setup/*.sh
  rm -f .coverage .coverage.*
  check coverage run -m pytest
  coverage combine --quiet
  check coverage report
}

main "$@"
