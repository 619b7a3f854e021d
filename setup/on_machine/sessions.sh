#!/usr/bin/env bash
#
# sessions.sh: the tmux sessions that the workers run in: server-lab3 (numbers) and server2-lab3 (images).
#
# usage: sessions.sh start | renew | stop
#
# start   start each session that is not running
# renew   both workers finish the requests in flight, and restart with the newest code
# stop    both workers finish the requests in flight, and the sessions end
#
# To look at one, log in as the same user: tmux attach -t server-lab3

set -o errexit -o nounset -o pipefail

home=${MACHINE_HOME:-/opt/courier}
readonly sessions=(server-lab3:numbers_worker.py server2-lab3:images_worker.py)
readonly stop_seconds=100

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

call_tmux() { tmux ${MACHINE_TMUX:+-L "$MACHINE_TMUX"} -f /dev/null "$@"; }

# = asks for an exact match: otherwise server2 would match server2-lab3.
is_there() { call_tmux has-session -t "=$1" 2>/dev/null; }

keeper() { call_tmux list-panes -t "=$1" -F '#{pane_pid}' 2>/dev/null; }

start() {
  local one session
  for one in "${sessions[@]}"; do
    session=${one%:*}
    is_there "$session" && continue
    call_tmux new-session -d -s "$session" "exec $(printf '%q' "$here/keep_running.sh") $(printf '%q' "$home") ${one#*:}"
    # Copying to the clipboard crashes the tmux of Amazon Linux.
    call_tmux set-option -s set-clipboard off
  done
}

signal_keepers() { # SIGNAL
  local one pid
  for one in "${sessions[@]}"; do
    pid=$(keeper "${one%:*}" || true)
    [[ -z $pid ]] || kill "-$1" "$pid" 2>/dev/null || true
  done
}

stop() {
  local one left=$((stop_seconds * 10))
  signal_keepers TERM
  for one in "${sessions[@]}"; do
    while is_there "${one%:*}" && ((left-- > 0)); do sleep 0.1; done
    call_tmux kill-session -t "=${one%:*}" 2>/dev/null || true
  done
}

case ${1:-} in
  start) start ;;
  renew) signal_keepers USR1 ;;
  stop) stop ;;
  *)
    echo "usage: sessions.sh start | renew | stop" >&2
    exit 2
    ;;
esac
