#!/usr/bin/env bash
#
# session.sh: the tmux session of one worker: server-lab3 for numbers, server2-lab3 for images.
#
# usage: session.sh start | renew | stop APPLICATION
#
# start   start the session, on a tmux server of its own
# renew   the worker finishes the requests in flight, and restarts with the newest code
# stop    the worker finishes the requests in flight, and the session ends
#
# A tmux server for each worker: a server and all that runs in it belong to one systemd service. To look at a session:
# tmux attach -t server-lab3 (tmux.sh finds its server).

set -o errexit -o nounset -o pipefail

readonly home=${MACHINE_HOME:-/opt/courier}
readonly run=${RUNTIME_DIRECTORY:-/run/courier}
readonly stop_seconds=100

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

call_tmux() { tmux -S "$run/$session" -f /dev/null "$@"; }

is_there() { call_tmux has-session -t "=$session" 2>/dev/null; }

# signal_keeper SIGNAL: to keep_running.sh, which passes it on to the worker.
signal_keeper() {
  local pid
  pid=$(call_tmux list-panes -t "=$session" -F '#{pane_pid}' 2>/dev/null || true)
  [[ -z $pid ]] || kill "-$1" "$pid" 2>/dev/null || true
}

start() {
  call_tmux new-session -d -s "$session" "$here/keep_running.sh" "$home" "$program"
  # Copying to the clipboard crashes the tmux of Amazon Linux.
  call_tmux set-option -s set-clipboard off
  # systemd reads there which process is the main one.
  call_tmux display-message -p '#{pid}' >"$run/$application.pid"
}

stop() {
  local left=$((stop_seconds * 10))
  signal_keeper TERM
  while is_there && ((left-- > 0)); do sleep 0.1; done
  call_tmux kill-server 2>/dev/null || true
}

usage() {
  echo "usage: session.sh start | renew | stop APPLICATION" >&2
  exit 2
}

application=${2:-}
case $application in
  numbers) session=server-lab3 ;;
  images) session=server2-lab3 ;;
  *) usage ;;
esac
program=${application}_worker.py
case $1 in
  start) start ;;
  renew) signal_keeper USR1 ;;
  stop) stop ;;
  *) usage ;;
esac
