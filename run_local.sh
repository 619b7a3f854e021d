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
# settings (environment): the programs' own (COURIER_..., see the README) reach a worker when it starts;
# LOCAL_AWS_PORT chooses the port (default: a free one, from then on always
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
readonly first_port=$((4566 + folder_number % 20000))

# What would lead the programs to another AWS than the local one.
readonly foreign=(
  AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
  AWS_ENDPOINT_URL_SQS AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS
)

say() { printf '%s\n' "$*"; }

die() {
  local status=$1
  shift
  printf 'run_local.sh: %s\n' "$*" >&2
  exit "$status"
}

help() { awk 'NR > 2 && /^#/ { sub(/^# ?/, ""); print; next } NR > 2 { exit }' "${BASH_SOURCE[0]}"; }

# interrupted: end if the command before it was ended by Ctrl-C; else false.
interrupted() {
  (($? != 130)) || exit 130
  return 1
}

# Make the folder for data, and keep other calls of this script out of it while this one starts or stops things.
lock() {
  local holder tries=$((start_seconds * 10))
  mkdir -p "$data" 2>/dev/null || die 1 "This folder cannot be written to: $here"
  until mkdir "$data/lock" 2>/dev/null; do
    holder=$(cat "$data/lock/pid" 2>/dev/null || true)
    if [[ -n $holder ]] && ! kill -0 "$holder" 2>/dev/null; then
      rm -rf "$data/lock"
      continue
    fi
    ((tries--)) || die 1 "Another ./run_local.sh is at work here (process $holder). Wait for it, or remove .local/lock"
    sleep 0.1
  done
  say $$ >"$data/lock/pid"
}

unlock() { rm -rf "$data/lock"; }

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
  # An environment works only where it was made: a folder that was moved or copied makes its own.
  stamp=$({ say "$here" && cat "$here"/requirements*.txt; } | cksum)
  [[ -x $venv/bin/python && $(cat "$venv/.stamp" 2>/dev/null) == "$stamp" ]] && return
  # What it leads to is somebody else's, and would be emptied.
  [[ ! -L $venv ]] || die 1 ".venv is a symbolic link, and not made for this folder. Remove the link: rm $venv"
  python=$(find_python)
  say "Making .venv; the first time this takes a minute or two."
  "$python" -m venv --clear "$venv" >"$data/venv.log" 2>&1 || interrupted ||
    die 1 "Python's venv module does not work here (on Debian: apt install python3-venv). Its words are in .local/venv.log"
  "$venv/bin/python" -m pip install --disable-pip-version-check --quiet \
    -r "$here/requirements-dev.txt" >"$data/pip.log" 2>&1 || interrupted ||
    die 1 "The packages could not be installed. Is the network up, and the package index reachable? pip's words are in .local/pip.log"
  # The CLI's own script breaks where the folder's path has a blank in it.
  printf '%s\n' '#!/bin/sh' 'exec "$(dirname "$0")/python" -m awscli "$@"' >"$venv/bin/aws"
  say "$stamp" >"$venv/.stamp"
}

# --- the local AWS ---

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The port of this folder: the one asked for, the one used before, or the first free one.
choose_port() {
  local port
  if [[ -n ${LOCAL_AWS_PORT:-} ]]; then
    [[ $LOCAL_AWS_PORT =~ ^[1-9][0-9]{0,4}$ ]] && ((LOCAL_AWS_PORT <= 65535)) ||
      die 2 "LOCAL_AWS_PORT is '$LOCAL_AWS_PORT', and must be a number from 1 to 65535."
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
  unset "${foreign[@]}"
  export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
  export AWS_EC2_METADATA_DISABLED=true
  # Neither the user's own configuration nor a proxy may lead away from the local AWS.
  export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
  export NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}"
  export no_proxy="127.0.0.1${no_proxy:+,$no_proxy}"
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
  if running engine "$venv/bin/ministack" >/dev/null; then
    [[ $port == "$(<"$data/port")" ]] || die 1 "The local AWS runs on another port already. Stop it first: ./run_local.sh down"
    return
  fi
  taken "$port" && die 1 "Port $port is taken by another program. Stop that, or choose another: LOCAL_AWS_PORT=$((port + 1)) ./run_local.sh"
  mkdir -p "$data"
  say "Starting the local AWS on http://127.0.0.1:$port"
  GATEWAY_PORT=$port BIND_HOST=127.0.0.1 IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 \
    PERSIST_STATE=1 STATE_DIR="$data/state" S3_PERSIST=1 S3_DATA_DIR="$data/s3" \
    detach engine "$venv/bin/ministack"
  wait_for_engine "$port"
  say "$port" >"$data/port"
}

wait_for_engine() {
  local tries=$((start_seconds * 5))
  until taken "$1"; do
    running engine "$venv/bin/ministack" >/dev/null || sleep 1
    running engine "$venv/bin/ministack" >/dev/null || die 1 "The local AWS ended at once. Its words are in .local/engine.log"
    ((tries--)) || die 1 "The local AWS did not start within $start_seconds s. Its words are in .local/engine.log"
    sleep 0.2
  done
  running engine "$venv/bin/ministack" >/dev/null || die 1 "Port $1 was taken by another program meanwhile. Try again."
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
  running "$1" "$venv/bin/python $1" >/dev/null && return
  say "starting" >>"$data/$1.log"
  if have_tmux; then
    our_tmux kill-session -t "=$2" 2>/dev/null || true
    our_tmux new-session -d -s "$2" -c "$here" "exec bash -c $(printf '%q' "$(worker_command "$1")")"
    our_tmux list-panes -t "=$2" -F '#{pane_pid}' >"$data/$1.pid"
  else
    (cd "$here" && detach "$1" "$venv/bin/python" "$1")
  fi
}

# worker_command PROGRAM: what tmux runs. A tmux server hands on the environment that it was started with, and
# not the caller's, so this names all that counts.
worker_command() {
  local name
  printf 'exec env'
  for name in $(compgen -e | grep -E '^(AWS_.*|COURIER_.*|NO_PROXY|no_proxy|PATH)$'); do
    printf ' %s=%q' "$name" "${!name}"
  done
  printf ' %q %q 2> >(tee -a %q >&2)' "$venv/bin/python" "$1" "$data/$1.log"
}

start_workers() {
  local program
  start_worker numbers_worker.py server-lab3
  start_worker images_worker.py server2-lab3
  for program in numbers_worker.py images_worker.py; do wait_for_worker "$program"; done
}

# wait_for_worker PROGRAM: until it listens; a worker that ends at once says why in the last line of its log.
wait_for_worker() {
  local tries=$((start_seconds * 10))
  until has_begun "$1"; do
    running "$1" "$venv/bin/python $1" >/dev/null || sleep 1
    running "$1" "$venv/bin/python $1" >/dev/null || die 1 "$1 ended at once: $(tail -n 1 "$data/$1.log")"
    ((tries--)) || die 1 "$1 does not start; see .local/$1.log"
    sleep 0.1
  done
}

# has_begun PROGRAM: whether the last that its log says of beginning or ending is that it listens.
has_begun() { [[ $(grep -E '^starting$|listens on|stopped$' "$data/$1.log" 2>/dev/null | tail -n 1) == *"listens on"* ]]; }

stop_workers() {
  stop numbers_worker.py "$venv/bin/python numbers_worker.py" &
  local numbers=$!
  stop images_worker.py "$venv/bin/python images_worker.py"
  wait "$numbers"
  have_tmux && our_tmux kill-server >/dev/null 2>&1 || true
}

# --- the verbs ---

up() {
  lock
  setup
  start_engine
  use_local_aws
  set_up_aws
  start_workers
  unlock
  say "Queues and bucket are ready (.local/setup.log says how), and both workers run:"
  say "$(where_workers)"
}

# set_up_aws: run aws_setup.sh, unless it ran here as it is and everything is still there.
set_up_aws() {
  local stamp
  stamp=$({
    cat "$here/aws_setup.sh" "$here"/setup/*.sh "$here/create-queue.json"
    env | grep -E '^COURIER_(REQUEST|RESPONSE|IMAGE_INBOX|IMAGE_OUTBOX|BUCKET|MAX_DELIVERIES)' | sort || true
  } | cksum)
  [[ $(cat "$data/setup.stamp" 2>/dev/null) == "$stamp" && $(count_queues) == 6 ]] && return
  rm -f "$data/setup.stamp"
  "$here/aws_setup.sh" up --no-ec2 >"$data/setup.log" 2>&1 ||
    die 1 "The queues and the bucket could not be made: $(tail -n 1 "$data/setup.log")"
  say "$stamp" >"$data/setup.stamp"
}

count_queues() {
  aws --endpoint-url "$AWS_ENDPOINT_URL" sqs list-queues \
    --query "length(QueueUrls)" \
    --output text 2>/dev/null
}

stay() { say "It stays up. Stop it with: ./run_local.sh down"; }

where_workers() {
  if have_tmux; then
    say "tmux -L $tmux_name attach -t server-lab3 (numbers) or server2-lab3 (images)."
    say "In there Ctrl-b d leaves a worker running, and Ctrl-C stops it; ./run_local.sh up starts it again."
  else
    say "in the background; see .local/numbers_worker.py.log and .local/images_worker.py.log"
  fi
}

down() {
  [[ -d $data ]] || {
    say "Nothing runs."
    return
  }
  trap '' INT
  say "Stopping; a worker may finish what it has begun."
  lock
  stop_workers
  stop engine "$venv/bin/ministack"
  unlock
  say "Stopped. The data is kept in .local/; up brings it back."
}

is_up() {
  running engine "$venv/bin/ministack" >/dev/null &&
    running numbers_worker.py "$venv/bin/python numbers_worker.py" >/dev/null &&
    running images_worker.py "$venv/bin/python images_worker.py" >/dev/null
}

status() {
  local program
  if ! running engine "$venv/bin/ministack" >/dev/null; then
    say "The local AWS does not run. Start it with: ./run_local.sh up"
    return
  fi
  use_local_aws
  say "The local AWS runs on $AWS_ENDPOINT_URL"
  for program in numbers_worker.py images_worker.py; do
    if running "$program" "$venv/bin/python $program" >/dev/null; then say "$program runs"; else say "$program does not run"; fi
  done
  where_workers
  "$here/aws_setup.sh" status --no-ec2
}

print_env() {
  use_local_aws
  say "unset ${foreign[*]}"
  local name
  for name in AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION \
    AWS_EC2_METADATA_DISABLED AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE NO_PROXY no_proxy; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done
  printf 'export PATH=%q:%s\n' "$venv/bin" "\"\$PATH\""
  # Version 1 of the CLI needs to be told with every call.
  say 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
}

# client PROGRAM ARGS...: run it on the local AWS; only its own output goes to stdout.
client() {
  local program=$1
  shift
  case " $* " in
    *" --help "* | *" -h "* | *" --version "*) setup >&2 ;;
    *)
      # No && or || here: within these bash would not end at an error.
      if ! is_up; then
        up >&2
        stay >&2
      fi
      ;;
  esac
  use_local_aws
  "$venv/bin/python" "$here/$program" "$@"
}

menu() {
  local choice
  if [[ ! -t 0 ]]; then
    up
    say "No terminal, no menu."
    stay
    return
  fi
  trap 'unlock; down' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  up
  while true; do
    printf '%s\n' "" "Courier on a local AWS" "  1  Numbers" "  2  Images" "  3  Leave, and keep it running" "  0  Stop it all and leave"
    read -r -p "Your choice: " choice || {
      say ""
      break
    }
    case $choice in
      1) open numbers_client.py ;;
      2) open images_client.py ;;
      3)
        trap - EXIT
        stay
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
        up)
          up
          stay
          ;;
        setup)
          lock
          setup
          unlock
          ;;
        *) "$verb" ;;
      esac
      ;;
    *) die 2 "There is no verb $verb. Use up, down, status, env, numbers, images or setup; see --help." ;;
  esac
}

main "$@"
