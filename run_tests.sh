#!/usr/bin/env bash
#
# run_tests.sh: set everything up, then lint, types, shell and tests, shown in that order.
#
# usage: ./run_tests.sh [--coverage | PYTEST ARGUMENTS]
#
# --coverage: measure, too, which lines and branches the tests run; too few are a failure. Takes half as long again.
# With other arguments, only pytest runs, with them: ./run_tests.sh tests/unit -k wire
# On another Python: PYTHON=python3.13 ./run_tests.sh tests/unit   (this makes .venv again)
# Exit status: that of the first check that fails.

set -o errexit -o nounset -o pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

step() { printf '\n== %s\n' "$*"; }

check() {
  step "$@"
  "$@"
}

# types: mypy, for this system and for those that what a user runs is written for, all at once.
types() {
  local others other
  platform darwin -p courier -m numbers_client -m images_client -m numbers_worker -m images_worker &
  others=($!)
  platform win32 -m numbers_client -m images_client &
  others+=($!)
  check mypy
  for other in "${others[@]}"; do wait "$other"; done
}

# platform NAME MODULES...: with a cache of its own, else the one would make the other's worthless. A comment that one
# system needs may be needless on another.
platform() {
  local said
  said=$(mypy --platform "$1" --no-warn-unused-ignores --cache-dir ".mypy_cache/$1" "${@:2}" 2>&1) && return
  printf '== mypy --platform %s\n%s\n' "$1" "$said"
  return 1
}

# site: the documentation; a dead link, a dead anchor or a page that is in no table of contents is an error.
site() { NO_MKDOCS_2_WARNING=1 mkdocs build --quiet --strict; }

# begin_tests COMMAND...: they run beside the checks, each of which leaves a core idle, and end if one of these fails.
begin_tests() {
  log=$(mktemp)
  PYTHONDONTWRITEBYTECODE='' "$@" >"$log" 2>&1 &
  running=$!
  trap end_tests EXIT
}

end_tests() {
  if kill "$running" 2>/dev/null; then wait "$running" || true; fi
  rm -f "$log"
}

# show_tests COMMAND...: what they have printed and go on to print, until they end; the status is theirs.
show_tests() {
  step "$@"
  exec 3<"$log"
  while kill -0 "$running" 2>/dev/null; do
    cat <&3
    sleep 1
  done
  cat <&3
  wait "$running"
}

main() {
  case ${1:-} in
    -h | --help)
      awk 'NR > 2 && /^#/ { sub(/^# ?/, ""); print; next } NR > 2 { exit }' "$0"
      return
      ;;
  esac
  local tests=(python -m pytest)
  ./run_local.sh setup --tests
  export PATH="$PWD/.venv/bin:$PATH"
  if [[ $* == --coverage ]]; then
    rm -f .coverage .coverage.*
    tests=(coverage run -m pytest)
  elif (($#)); then
    python -m pytest "$@"
    return
  fi
  # The parts of aws_setup.sh are checked where they are sourced.
  local programs=(./*.sh .ci/run setup/on_instance/*.sh)
  begin_tests "${tests[@]}"
  check ruff check .
  check ruff format --check .
  check codespell
  types
  check shellcheck --severity=warning --external-sources --check-sourced "${programs[@]}"
  check site
  check shfmt -d -i 2 -ci "${programs[@]}" setup/*.sh
  show_tests "${tests[@]}"
  if [[ ${tests[0]} == coverage ]]; then
    coverage combine --quiet
    check coverage report
  fi
}

main "$@"
