#!/usr/bin/env bash
#
# tmux.sh: tmux that also finds the workers' sessions. Installed on the instance as /usr/local/bin/tmux.
#
# usage: that of tmux: tmux attach -t server-lab3; tmux ls
#
# Each worker has a tmux server of its own, which belongs to the workers' user.

readonly run=${MACHINE_RUN:-/run/courier} tmux=${MACHINE_TMUX:-/usr/bin/tmux}
readonly sessions=(server-lab3 server2-lab3)

as_worker() {
  local user=${MACHINE_USER:-courier}
  if [[ $(id -un) == "$user" ]]; then "$@"; else sudo -u "$user" "$@"; fi
}

# named SESSION WORD...: whether one of the words names the session.
named() {
  local session=$1 word
  shift
  for word; do [[ ${word#=} != "$session" ]] || return 0; done
  return 1
}

for session in "${sessions[@]}"; do
  if named "$session" "$@"; then
    as_worker "$tmux" -S "$run/$session" "$@"
    exit
  fi
done
case ${1:-} in
  ls | list-sessions)
    for session in "${sessions[@]}"; do as_worker "$tmux" -S "$run/$session" "$@" 2>/dev/null; done
    "$tmux" "$@" 2>/dev/null || true
    ;;
  *) exec "$tmux" "$@" ;;
esac
