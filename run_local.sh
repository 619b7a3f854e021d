#!/usr/bin/env bash
#
# run_local.sh: both applications on this machine, with a local AWS. Needs Python 3.11 or newer.
#
# usage: ./run_local.sh [VERB]
#
# verbs:
#   (none)           set everything up, start it, and open a menu; leaving stops it unless you say otherwise
#   up               set everything up and start it: the local AWS, queues, bucket, and both workers
#   down             stop it; the data is kept in .local/ for the next time
#   status           what runs, and what waits in the queues
#   env              print what points a shell at the local AWS; use it so: eval "$(./run_local.sh env)"
#   numbers [ARGS]   run numbers_client.py; what is not running yet is started
#   images [ARGS]    run images_client.py; what is not running yet is started
#   setup            only make the virtual environment .venv
#   --help           this text
#
# settings (environment): LOCAL_AWS_PORT chooses the port (default: a free one, from then on always
# the same); PYTHON chooses the interpreter that makes .venv.
#
# The workers run in the tmux sessions server-lab3 and server2-lab3, on a tmux socket of this folder's own
# (the status verb says how to attach); without tmux they run in the background. Logs are in .local/.
#
# exit status: 0 done; 1 something could not be set up or started; 2 wrong usage; else the client's

set -o errexit -o nounset -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly data="$here/.local"
readonly venv="$here/.venv"
readonly start_seconds=60
# The workers finish what they have begun within their grace period, 30 s by default.
readonly stop_seconds=40
folder_number=$(cksum <<<"$here" | cut -d ' ' -f 1)
readonly folder_number
# Two checkouts on one machine share neither a tmux server nor the port that is tried first.
readonly tmux_name="courier-$folder_number"
readonly first_port=$((4566 + folder_number % 1000))

say() { printf '%s\n' "$*"; }

die() {
  local status=$1
  shift
  printf 'run_local.sh: %s\n' "$*" >&2
  exit "$status"
}

help() { awk 'NR > 2 && /^#/ { sub(/^# ?/, ""); print; next } NR > 2 { exit }' "${BASH_SOURCE[0]}"; }

# --- the virtual environment ---

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      say "$candidate"
      return
    fi
  done
  die 1 "Python 3.11 or newer is needed and was not found. Install it, or name it: PYTHON=/path/to/python3 ./run_local.sh"
}

# setup: make .venv unless it is there and made from these very requirements.
setup() {
  local python stamp
  stamp=$(cat "$here"/requirements*.txt | cksum)
  [[ -x $venv/bin/python && $(cat "$venv/.stamp" 2>/dev/null) == "$stamp" ]] && return
  python=$(find_python)
  mkdir -p "$data"
  say "Making .venv; the first time this takes a minute or two."
  "$python" -m venv --clear "$venv" >"$data/venv.log" 2>&1 ||
    die 1 "Python's venv module does not work here (on Debian: apt install python3-venv). Its words are in .local/venv.log"
  "$venv/bin/python" -m pip install --disable-pip-version-check --quiet \
    -r "$here/requirements-dev.txt" >"$data/pip.log" 2>&1 ||
    die 1 "The packages could not be installed. Is the network up, and the package index reachable? pip's words are in .local/pip.log"
  say "$stamp" >"$venv/.stamp"
}

# --- the local AWS ---

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The port of this folder: the one asked for, the one used before, or the first free one.
choose_port() {
  local port
  if [[ -n ${LOCAL_AWS_PORT:-} ]]; then
    [[ $LOCAL_AWS_PORT =~ ^[0-9]{1,5}$ ]] || die 2 "LOCAL_AWS_PORT is '$LOCAL_AWS_PORT', and must be a number."
    port=$LOCAL_AWS_PORT
  elif [[ -s $data/port ]]; then
    port=$(<"$data/port")
  else
    port=$first_port
    while taken "$port"; do port=$((port + 1)); done
  fi
  say "$port"
}

use_local_aws() {
  local port
  port=$(cat "$data/port" 2>/dev/null || say "$first_port")
  unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN
  export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
  export AWS_EC2_METADATA_DISABLED=true
  export NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}"
  export PATH="$venv/bin:$PATH"
}

# running NAME PATTERN: the process id in .local/NAME.pid, if that process is alive and is what it was.
running() {
  local pid
  pid=$(cat "$data/$1.pid" 2>/dev/null) || return 1
  [[ -n $pid && $(command_of "$pid") == *"$2"* ]] && say "$pid"
}

# command_of PID: its command line; nothing if it has ended, also if it is a zombie child of ours.
command_of() {
  if [[ -d /proc/self ]]; then
    tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" || true
  else
    ps -ww -o stat= -o args= -p "$1" | grep -v '^Z' || true
  fi
}

# detach NAME COMMAND...: run it in a session of its own, so that no Ctrl-C of ours reaches it.
detach() {
  local name=$1
  shift
  "$venv/bin/python" -c 'import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])' "$@" \
    </dev/null >>"$data/$name.log" 2>&1 &
  say $! >"$data/$name.pid"
}

start_engine() {
  local port
  port=$(choose_port)
  if running engine ministack >/dev/null; then
    [[ $port == "$(<"$data/port")" ]] || die 1 "The local AWS runs on another port already. Stop it first: ./run_local.sh down"
    return
  fi
  taken "$port" && die 1 "Port $port is taken by another program. Stop that, or choose another: LOCAL_AWS_PORT=$((port + 1)) ./run_local.sh"
  mkdir -p "$data"
  say "$port" >"$data/port"
  say "Starting the local AWS on http://127.0.0.1:$port"
  GATEWAY_PORT=$port BIND_HOST=127.0.0.1 IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 \
    PERSIST_STATE=1 STATE_DIR="$data/state" S3_PERSIST=1 S3_DATA_DIR="$data/s3" \
    detach engine "$venv/bin/ministack"
  wait_for_engine "$port"
}

wait_for_engine() {
  local tries=$((start_seconds * 5))
  until taken "$1"; do
    running engine ministack >/dev/null || sleep 1
    running engine ministack >/dev/null || die 1 "The local AWS ended at once. Its words are in .local/engine.log"
    ((tries--)) || die 1 "The local AWS did not start within $start_seconds s. Its words are in .local/engine.log"
    sleep 0.2
  done
}

# stop NAME PATTERN: end what `detach` started, gracefully.
stop() {
  local pid tries=$((stop_seconds * 10))
  pid=$(running "$1" "$2") || return 0
  kill -TERM "$pid" 2>/dev/null || true
  while running "$1" "$2" >/dev/null; do
    ((tries--)) || { kill -KILL "$pid" 2>/dev/null || true; }
    sleep 0.1
  done
  rm -f "$data/$1.pid"
}

# --- the workers ---

have_tmux() { command -v tmux >/dev/null; }

our_tmux() { tmux -L "$tmux_name" -f /dev/null "$@"; }

# start_worker PROGRAM SESSION
start_worker() {
  if have_tmux; then
    our_tmux has-session -t "=$2" 2>/dev/null && return
    our_tmux new-session -d -s "$2" -c "$here" "exec $(printf '%q %q' "$venv/bin/python" "$1")"
    our_tmux pipe-pane -t "=$2:" "exec cat >> $(printf '%q' "$data/$1.log")"
    our_tmux list-panes -t "=$2" -F '#{pane_pid}' >"$data/$1.pid"
  elif ! running "$1" "$1" >/dev/null; then
    detach "$1" "$venv/bin/python" "$here/$1"
  fi
}

start_workers() {
  start_worker numbers_worker.py server-lab3
  start_worker images_worker.py server2-lab3
}

stop_workers() {
  stop numbers_worker.py numbers_worker.py &
  local numbers=$!
  stop images_worker.py images_worker.py
  wait "$numbers"
  have_tmux && our_tmux kill-server >/dev/null 2>&1 || true
}

# --- the verbs ---

up() {
  setup
  start_engine
  use_local_aws
  "$here/aws_setup.sh" up
  start_workers
  say "Both workers run: $(where_workers)"
}

where_workers() {
  if have_tmux; then
    say "tmux -L $tmux_name attach -t server-lab3 (numbers) or server2-lab3 (images); Ctrl-b d leaves them running"
  else
    say "in the background; see .local/numbers_worker.py.log and .local/images_worker.py.log"
  fi
}

down() {
  [[ -d $data ]] || {
    say "Nothing runs."
    return
  }
  stop_workers
  stop engine ministack
  say "Stopped. The data is kept in .local/; up brings it back."
}

is_up() {
  local program
  for program in engine:ministack numbers_worker.py:numbers_worker.py images_worker.py:images_worker.py; do
    running "${program%%:*}" "${program##*:}" >/dev/null || return 1
  done
}

status() {
  local program
  if ! running engine ministack >/dev/null; then
    say "The local AWS does not run. Start it with: ./run_local.sh up"
    return
  fi
  use_local_aws
  say "The local AWS runs on $AWS_ENDPOINT_URL"
  for program in numbers_worker.py images_worker.py; do
    if running "$program" "$program" >/dev/null; then say "$program runs"; else say "$program does not run"; fi
  done
  say "Workers: $(where_workers)"
  "$here/aws_setup.sh" status
}

print_env() {
  use_local_aws
  say "unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN"
  local name
  for name in AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION \
    AWS_EC2_METADATA_DISABLED NO_PROXY; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done
  printf 'export PATH=%q:%s\n' "$venv/bin" "\"\$PATH\""
}

# client PROGRAM ARGS...: run it on the local AWS; only its own output goes to stdout.
client() {
  local program=$1
  shift
  is_up || up >&2
  use_local_aws
  "$venv/bin/python" "$here/$program" "$@"
}

menu() {
  local choice
  up
  if [[ ! -t 0 ]]; then
    say "No terminal, no menu; it stays up. Stop it with: ./run_local.sh down"
    return
  fi
  trap down EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  while true; do
    printf '%s\n' "" "Courier on a local AWS" "  1  Numbers" "  2  Images" "  3  Leave, and keep it running" "  0  Stop it all and leave"
    read -r -p "Your choice: " choice || break
    case $choice in
      1) open numbers_client.py ;;
      2) open images_client.py ;;
      3)
        trap - EXIT
        say "It stays up. Stop it with: ./run_local.sh down"
        break
        ;;
      0) break ;;
      *) say "There is no choice '$choice'. Type 0, 1, 2 or 3." ;;
    esac
  done
}

# open PROGRAM: run a client's menu. Ctrl-C in there is the client's, not ours.
open() {
  trap : INT
  "$venv/bin/python" "$here/$1" || true
  trap 'exit 130' INT
}

main() {
  local verb=${1:-menu}
  (($# == 0)) || shift
  case $verb in
    numbers | images) client "${verb}_client.py" "$@" ;;
    -h | --help) help ;;
    menu | up | down | status | env | setup)
      (($# == 0)) || die 2 "$verb takes no arguments. See --help."
      case $verb in
        env) print_env ;;
        *) "$verb" ;;
      esac
      ;;
    *) die 2 "There is no verb $verb. Use up, down, status, env, numbers, images or setup; see --help." ;;
  esac
}

main "$@"
