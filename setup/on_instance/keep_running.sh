#!/usr/bin/env bash
#
# keep_running.sh: run a worker; restart a crashed worker with exponential backoff (1 to 60 s).
#
# usage: keep_running.sh HOME PROGRAM
#
# TERM and HUP   the worker finishes the requests in flight; then this script ends
# USR1           the worker finishes the requests in flight, and restarts with the newest code
# Ctrl-C         as TERM; systemd starts it again after a few seconds
#
# The numbers worker has one process per core, unless COURIER_PROCESSES is set.

set -o nounset -o pipefail

readonly home=$1 program=$2
readonly log=${LOGS_DIRECTORY:-/var/log/courier}/$program.log
readonly newest=$home/current/setup/on_instance/keep_running.sh
readonly most_delay=60

stopping=false
child=""
delay=1

pass_on() { [[ -z $child ]] || kill -TERM "$child" 2>/dev/null; }

stop() {
  stopping=true
  pass_on
}

trap stop TERM HUP INT
trap pass_on USR1

say() { printf '%s keep_running.sh: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" | tee -a "$log" >&2; }

# Wait for the child, even if signals interrupt the wait; sets `status`.
await() {
  while true; do
    wait "$child"
    status=$?
    kill -0 "$child" 2>/dev/null || break
  done
}

set -o allexport
# shellcheck source=/dev/null
[[ ! -f $home/environment ]] || . "$home/environment"
set +o allexport

while ! $stopping; do
  cd "$home/current" || exit 1
  started=$SECONDS
  # tee ignores Ctrl-C, so that the worker's last lines are logged.
  # The worker has its own session, so that Ctrl-C reaches it only through this script.
  COURIER_PROCESSES=${COURIER_PROCESSES:-$(nproc)} setsid .venv/bin/python "$program" 2> >(trap '' INT TERM HUP && exec tee -a "$log" >&2) &
  child=$!
  await
  child=""
  $stopping && break
  if ((status == 0)); then
    delay=0
  elif ((SECONDS - started >= most_delay)); then
    delay=1
  fi
  say "$program ended with status $status; restarting in $delay s"
  # Newer code, or older code again, brings its own script.
  ((delay > 0)) || [[ ! -x $newest ]] || exec "$newest" "$home" "$program"
  sleep "$delay" &
  child=$!
  wait "$child"
  kill "$child" 2>/dev/null
  child=""
  delay=$((delay * 2 > most_delay ? most_delay : delay * 2 + (delay == 0)))
done
say "$program has stopped"
