#!/usr/bin/env bash
#
# run_local.sh: run both applications on this machine with a local AWS. Needs
# Python 3.11 or newer.
#
# usage: ./run_local.sh [VERB]
#
# verbs:
#   (none)           set everything up, start it, and open a menu; leaving the
#                    menu stops it unless you choose 3
#   up               set everything up and start it: the local AWS, queues, bucket
#                    and both workers
#   down             stop it; the data is kept in .local/ for the next time
#   status [--json]  show what is running, how many messages are waiting, and what
#                    is wrong
#   watch [--once] [--json]
#                    see it live, refreshed each second: queues, workers, the last
#                    requests
#   logs [-f]        show the end of the workers' logs; -f follows them until
#                    Ctrl-C
#   doctor [--json]  find what is wrong, also in the set-up and with the workers'
#                    responses, and say how to fix it
#   env              print the settings that point a shell at the local AWS:
#                    eval "$(./run_local.sh env)"
#   numbers [ARGS]   run numbers_client.py; starts what is not running yet
#   images [ARGS]    run images_client.py; starts what is not running yet
#   run FILE [ARGS]  run a Python program of yours, or of examples/; starts the
#                    local AWS if it is not running
#   setup [--tests]  only create the virtual environment .venv; with --tests, add
#                    what ./run_tests.sh needs
#   --help           show this text
#
# settings (environment): the programs' own (COURIER_..., see
# docs/reference/settings.md) apply to a worker when it starts; LOCAL_AWS_PORT is
# the port (default: a free one, then always the same); PYTHON is the interpreter:
# if .venv was made by another one, it is created again, which needs
# ./run_local.sh down first. Without PYTHON, .venv is kept.
#
# The workers run in the tmux sessions server-lab3 and server2-lab3, on a tmux
# socket of this folder (./run_local.sh status shows how to attach); without tmux
# they run in the background. Logs are in .local/.
#
# exit status: 0 done; 1 something is wrong, or could not be set up, started or
# stopped; 2 wrong usage or setting, or the output cannot be written; 129, 130 or
# 143 ended by a closed terminal, Ctrl-C or SIGTERM; else the client's status

set -o errexit -o nounset -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly data="$here/.local"
readonly venv="$here/.venv"
readonly start_seconds=60
# The workers finish the requests in flight within their grace period, 30 s by default.
readonly stop_seconds=40
# A local AWS that has not answered by then is stopped, or hangs.
readonly answer_seconds=${SETUP_ANSWER_SECONDS:-10}
folder_number=$(cksum <<<"$here")
folder_number=${folder_number%% *}
readonly folder_number
# Two checkouts on one machine share neither a tmux server nor the first port to try.
readonly tmux_name="courier-$folder_number"
readonly first_port=$((4566 + folder_number % 20000))

# Variables that would point the programs at another AWS.
readonly foreign=(
  AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
  AWS_ENDPOINT_URL_SQS AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS
)

readonly script_name="run_local.sh"
readonly verbs=(up down status watch logs doctor env numbers images run setup)

is_locked=false
has_started=false
client=""
successor=""

# shellcheck source=setup/output.sh
. "$here/setup/output.sh"

die() {
  local status=$1 text
  shift
  text=$(printable "$*")
  wrap 2 "$script_name: $text"
  exit "$status"
}

help() { awk 'NR > 2 && /^#/ { sub(/^# ?/, ""); print; next } NR > 2 { exit }' "${BASH_SOURCE[0]}" | pass; }

# interrupted: exit if the previous command was ended by Ctrl-C; else return false.
interrupted() {
  (($? != 130)) || exit 130
  return 1
}

# Create the data folder and lock it: only one run of this script starts or stops things at a time.
lock() {
  local owner unsigned=0 is_said=false tries=$((start_seconds * 10))
  mkdir -p "$data" 2>/dev/null || die 1 "This folder cannot be written to: $here"
  until mkdir "$data/lock" 2>/dev/null; do
    owner=$(cat "$data/lock/pid" 2>/dev/null || true)
    # The process that made the lock writes its number at once.
    [[ -n $owner ]] || unsigned=$((unsigned + 1))
    if ((unsigned > 20)) || [[ -n $owner && $(command_of "$owner") != *run_local.sh* ]]; then
      rm -rf "$data/lock"
      continue
    fi
    $is_said || [[ -z $owner ]] || wrap 2 "Waiting for another ./run_local.sh to end (process $owner)."
    [[ -z $owner ]] || is_said=true
    ((tries--)) || die 1 "Another ./run_local.sh is running here (process $owner). Wait for it, or remove .local/lock"
    sleep 0.1
  done
  is_locked=true
  say $$ >"$data/lock/pid"
}

unlock() {
  ! $is_locked || rm -rf "$data/lock"
  is_locked=false
}

# command_of PID: its command line; empty if it has ended or is a zombie.
command_of() {
  if [[ -d /proc/self ]]; then
    tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" || true
  else
    ps -ww -o stat= -o args= -p "$1" | grep -v '^Z' || true
  fi
}

# --- the virtual environment ---

# find_python: the interpreter for .venv: $PYTHON if set, else the first that is new enough.
find_python() {
  local candidate
  if [[ -n ${PYTHON:-} ]]; then
    command -v "$PYTHON" >/dev/null || die 2 "PYTHON is '$PYTHON', which does not exist."
    is_new_enough "$PYTHON" || die 2 "PYTHON is '$PYTHON', but Python 3.11 or newer is needed. Its version: $("$PYTHON" --version 2>&1 | sed -n 1p)"
    say "$PYTHON"
    return
  fi
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if is_new_enough "$candidate"; then
      say "$candidate"
      return
    fi
  done
  die 1 "Python 3.11 or newer is needed and was not found. Install it, or name it: PYTHON=/path/to/python3 ./run_local.sh"
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# identity PYTHON: version and path of the interpreter behind it, the same in a virtual environment of its own.
identity() { "$1" -c 'import os, sys; print("%d.%d.%d" % sys.version_info[:3], os.path.realpath(sys._base_executable))' 2>/dev/null; }

# .venv/.stamp describes a complete environment, one line each: its folder (it cannot be moved), the interpreter that
# made it, and its parts, each with a checksum of its requirements.
made_by() { say "python $(identity "$1")"; }
made_from() { # part
  local files=("$here/requirements.txt" "$here/requirements.lock" "$here/requirements-local.txt")
  [[ $1 == local ]] || files+=("$here/requirements-dev.txt")
  say "$1 $(cat "${files[@]}" | cksum)"
}

is_stamped() { [[ $'\n'$(cat "$venv/.stamp" 2>/dev/null)$'\n' == *$'\n'"$1"$'\n'* ]]; }

has_part() {
  [[ -x $venv/bin/python ]] && is_stamped "folder $here" && is_stamped "$(made_from "$1")" &&
    { [[ -z ${PYTHON:-} ]] || is_stamped "$(made_by "$PYTHON")"; }
}

# setup [PART]: create .venv unless it is complete and up to date. Parts: local (the default) and tests.
setup() {
  local part=${1:-local}
  has_part local || {
    make_venv
    install local requirements-local.txt "about 70 MB"
  }
  [[ $part == local ]] || has_part tests || install tests requirements-dev.txt "about 80 MB"
}

make_venv() {
  local python before again=""
  # Creating the environment would empty the folder that the link points to.
  [[ ! -L $venv ]] || die 1 ".venv is a symbolic link to another folder. Remove the link: rm $venv"
  python=$(find_python)
  "$python" -c 'import venv, ensurepip' 2>/dev/null ||
    die 1 "Python's venv module does not work here (on Debian: apt install python3-venv)."
  ! something_runs || die 1 ".venv must be created again, but running processes use it. Stop them first: ./run_local.sh down"
  before=$(sed -n 's/^python //p' "$venv/.stamp" 2>/dev/null || true)
  [[ -z $before ]] || again=" again"
  say "Creating .venv$again with Python $(identity "$python")"
  [[ -z $before || $before == "$(identity "$python")" ]] || say "It was made with Python $before before"
  # Removed first: an incomplete environment must never count as complete.
  rm -f "$venv/.stamp"
  "$python" -m venv --clear "$venv" >"$data/venv.log" 2>&1 || interrupted ||
    die 1 "Python's venv module does not work here (on Debian: apt install python3-venv). See .local/venv.log"
  say "folder $here"$'\n'"$(made_by "$python")" >"$venv/.stamp.part"
}

# install PART REQUIREMENTS SIZE: install the packages into .venv, and record the part in its stamp.
install() {
  local part=$1 started=$SECONDS
  say "Installing packages ($2): $3 to download, half a minute to a few minutes"
  if [[ $part != local ]]; then
    grep -v "^$part " "$venv/.stamp" >"$venv/.stamp.part"
    rm -f "$venv/.stamp"
  fi
  # The lock file first: what is installed already stays.
  { { [[ $part != local ]] || install_from --require-hashes requirements.lock; } && install_from "$2"; } 2>&1 | show_progress || interrupted ||
    die 1 "The packages could not be installed. Check that the network and the package index can be reached. pip's output is in .local/pip.log"
  # The script that pip installs does not work in a folder whose path has a space.
  printf '%s\n' '#!/bin/sh' 'exec "$(dirname "$0")/python" -m awscli "$@"' >"$venv/bin/aws"
  made_from "$part" >>"$venv/.stamp.part"
  mv "$venv/.stamp.part" "$venv/.stamp"
  say "Installed in $((SECONDS - started)) s."
}

install_from() { # [OPTION] REQUIREMENTS
  PIP_USER=0 "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off \
    ${2:+"$1"} -r "$here/${2:-$1}"
}

# show_progress: copy pip's output from stdin to .local/pip.log; on a terminal, show the progress in one line.
show_progress() {
  local line packages=0 tenths=0
  # pip receives Ctrl-C itself; keep what it prints then.
  trap '' INT
  while IFS= read -r line; do
    say "$line" >&3
    case $line in
      *"Downloading "* | *"Using cached "*)
        packages=$((packages + 1))
        tenths=$((tenths + $(tenths_of_kb "$line")))
        show_line "$packages packages, $((tenths / 10000)) MB"
        ;;
      *Retrying*) show_line "no response from the package index; trying again" ;;
      "Installing collected packages"*) show_line "$packages packages, $((tenths / 10000)) MB; unpacking them" ;;
    esac
  done 3>"$data/pip.log"
  show_line ""
}

# tenths_of_kb LINE: the size in pip's line, such as (16.9 MB) or (140 kB), in tenths of a kilobyte.
tenths_of_kb() {
  local size=0
  if [[ $1 =~ \(([0-9]+)(\.([0-9]))?\ ([kM])B ]]; then
    size=$((BASH_REMATCH[1] * 10 + 10#0${BASH_REMATCH[3]}))
    [[ ${BASH_REMATCH[4]} == k ]] || size=$((size * 1000))
  fi
  say "$size"
}

# show_line TEXT: rewrite the current line of the terminal; do nothing if stdout is not a terminal.
show_line() { [[ ! -t 1 || ${TERM:-dumb} == dumb ]] || printf '\r  %-60s\r' "$1"; }

# --- the local AWS ---

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

check_port() {
  [[ -n ${LOCAL_AWS_PORT:-} ]] || return 0
  [[ $LOCAL_AWS_PORT =~ ^[1-9][0-9]{0,4}$ ]] && ((LOCAL_AWS_PORT <= 65535)) ||
    die 2 "LOCAL_AWS_PORT is '$LOCAL_AWS_PORT', and must be a number from 1 to 65535."
}

check_python() { [[ -z ${PYTHON:-} ]] || find_python >/dev/null; }

# The port of this folder: LOCAL_AWS_PORT, the port used before, or the first free one.
choose_port() {
  local port
  if [[ -n ${LOCAL_AWS_PORT:-} ]]; then
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
  port=$(cat "$data/port" 2>/dev/null || say "${LOCAL_AWS_PORT:-$first_port}")
  unset "${foreign[@]}"
  export AWS_ENDPOINT_URL="http://127.0.0.1:$port"
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
  export AWS_EC2_METADATA_DISABLED=true
  # Neither the user's AWS configuration nor a proxy may redirect requests away from the local AWS.
  export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
  export NO_PROXY="${NO_PROXY:-}" no_proxy="${no_proxy:-}"
  [[ ,$NO_PROXY, == *,127.0.0.1,* ]] || NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}"
  [[ ,$no_proxy, == *,127.0.0.1,* ]] || no_proxy="127.0.0.1${no_proxy:+,$no_proxy}"
  export PATH="$venv/bin:$PATH"
}

# locks COMMAND...: ask courier/cli/lock_file.py about the processes of this folder. Each holds a lock, because command
# lines look different on every system. Any Python 3 works, also when .venv is missing.
locks() { "$(lock_python)" -I -S "$here/courier/cli/lock_file.py" "$data" "$@"; }

lock_python() {
  local candidate
  for candidate in "$venv/bin/python" python3 python; do
    if command -v "$candidate" >/dev/null; then
      say "$candidate"
      return 0
    fi
  done
  die 1 "No Python was found to check what is running here. Create .venv: ./run_local.sh setup"
}

# running NAME...: whether all of these are running.
running() { locks holders "$@" >/dev/null; }

something_runs() { [[ $(locks holders engine numbers_worker.py images_worker.py) == *[0-9]* ]]; }

# started NAME PID: wait until process PID holds the lock of NAME; fail if it ends first.
started() {
  local status=0
  say "$2" >"$data/$1.lock.started"
  locks wait held "$start_seconds" "$2" "$1" || status=$?
  rm -f "$data/$1.lock.started"
  return "$status"
}

# detach NAME COMMAND...: run it in its own session, so that Ctrl-C here does not reach it.
detach() {
  local name=$1
  shift
  "$(lock_python)" -I -S "$here/courier/cli/lock_file.py" "$data" hold "$name" "$@" </dev/null >>"$data/$name.log" 2>&1 &
  started "$name" $!
}

# require_response: exit unless the local AWS, which is running, responds.
require_response() {
  local holder
  ! has_response || return 0
  holder=$(locks holders engine || true)
  die 1 "The local AWS (process $holder) does not respond. Stop it, and start it again: ./run_local.sh down; ./run_local.sh up"
}

has_response() { "$(lock_python)" -I -S "$here/courier/cli/local_aws.py" "$(<"$data/port")" "$answer_seconds"; }

start_engine() {
  local port
  port=$(choose_port)
  if running engine; then
    [[ $port == "$(<"$data/port")" ]] || die 1 "The local AWS already runs on another port. Stop it first: ./run_local.sh down"
    require_response
    return
  fi
  taken "$port" && die 1 "Port $port is used by another program. Stop that program, or choose another port: LOCAL_AWS_PORT=$((port + 1)) ./run_local.sh"
  mkdir -p "$data"
  say "Starting the local AWS on http://127.0.0.1:$port"
  has_started=true
  GATEWAY_PORT=$port BIND_HOST=127.0.0.1 IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 \
    PERSIST_STATE=1 STATE_DIR="$data/state" S3_PERSIST=1 S3_DATA_DIR="$data/s3" \
    detach engine "$venv/bin/ministack" || die 1 "The local AWS ended at once. See .local/engine.log"
  wait_for_engine "$port"
  say "$port" >"$data/port"
}

wait_for_engine() {
  local tries=$((start_seconds * 5))
  until taken "$1"; do
    running engine || die 1 "The local AWS ended at once. See .local/engine.log"
    ((tries--)) || die 1 "The local AWS did not start within $start_seconds s. See .local/engine.log"
    sleep 0.2
  done
  running engine || die 1 "Another program took port $1 in the meantime. Try again."
}

# stop NAME...: stop them gracefully; kill them if they take too long.
stop() {
  local left
  # In a trap, return without a number gives the status from before the trap.
  left=$(locks stop "$stop_seconds" "$@") && return 0
  wrap 2 "$script_name: Could not stop or kill process ${left//$'\n'/, }"
  return 1
}

# --- the workers ---

have_tmux() { command -v tmux >/dev/null; }

our_tmux() { tmux -L "$tmux_name" -f /dev/null "$@"; }

tmux_socket() { say "${TMUX_TMPDIR:-/tmp}/tmux-$(id -u)/$tmux_name"; }

# start_worker PROGRAM SESSION
start_worker() {
  running "$1" && return
  begun+=" $1 "
  has_started=true
  if have_tmux; then
    our_tmux kill-session -t "=$2" 2>/dev/null || true
    our_tmux new-session -d -s "$2" -c "$here" "exec bash -c $(printf '%q' "$(worker_command "$1")")"
    started "$1" "$(our_tmux list-panes -t "=$2" -F '#{pane_pid}' 2>/dev/null || say 0)"
  else
    (cd "$here" && detach "$1" "$venv/bin/python" "$1" --ready-file "$data/$1.lock")
  fi || die_of_worker "$1"
}

# die_of_worker NAME: exit with the last log line of each worker that has ended; both often fail for one reason.
die_of_worker() {
  local program reason
  # tee may still be writing the log.
  sleep 1
  for program in numbers_worker.py images_worker.py; do
    if [[ $program != "$1" ]]; then
      [[ $begun == *" $program "* ]] && ! running "$program" || continue
    fi
    reason=$(tail -n 1 "$data/$program.log")
    reason=$(printable "$reason")
    wrap 2 "$script_name: $program ended at once: $reason"
  done
  exit 1
}

# worker_command PROGRAM: the command for tmux. A tmux server passes on its own environment and not the caller's, so
# the command sets every variable that matters.
worker_command() {
  local name
  printf 'exec env'
  for name in $(compgen -e | grep -E '^(AWS_.*|COURIER_.*|NO_PROXY|no_proxy|PATH)$'); do
    printf ' %s=%q' "$name" "${!name}"
  done
  printf ' %q -I -S %q %q hold %q' "$venv/bin/python" "$here/courier/cli/lock_file.py" "$data" "$1"
  printf ' %q %q --ready-file %q 2> >(tee -a %q >&2)' "$venv/bin/python" "$1" "$data/$1.lock" "$data/$1.log"
}

start_workers() {
  local program begun=''
  # For watch; it costs nothing here.
  export COURIER_STATUS_SECONDS=${COURIER_STATUS_SECONDS:-1}
  start_worker numbers_worker.py server-lab3
  start_worker images_worker.py server2-lab3
  for program in numbers_worker.py images_worker.py; do wait_for_worker "$program"; done
}

# wait_for_worker PROGRAM: wait until it is ready; the last line of its log says why if it ends at once.
wait_for_worker() {
  local status=0 holder
  holder=$(locks holders "$1") || die_of_worker "$1"
  locks wait ready "$start_seconds" "$holder" "$1" || status=$?
  ((status != 1)) || die_of_worker "$1"
  ((status == 0)) || die 1 "$1 does not start; see .local/$1.log"
}

stop_workers() {
  local status=0
  stop numbers_worker.py images_worker.py || status=$?
  if have_tmux; then
    our_tmux kill-server >/dev/null 2>&1 || true
    rm -f "$(tmux_socket)" # tmux leaves it there
  fi
  return "$status"
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
  say "Queues and bucket are ready (see .local/setup.log), and both workers are running:"
  say "$(where_workers)"
}

# set_up_aws: run aws_setup.sh unless this version of it ran here and all queues still exist.
set_up_aws() {
  local stamp
  stamp=$({
    cat "$here/aws_setup.sh" "$here"/setup/*.sh "$here/create-queue.json"
    env | grep -E '^COURIER_(REQUEST|RESPONSE|IMAGE_INBOX|IMAGE_OUTBOX|BUCKET|MAX_DELIVERIES)' | sort || true
  } | cksum)
  [[ $(cat "$data/setup.stamp" 2>/dev/null) == "$stamp" ]] && has_queues && return
  rm -f "$data/setup.stamp"
  SETUP_LOCAL="$data" "$here/aws_setup.sh" up --no-ec2 >"$data/setup.log" 2>&1 || {
    require_response
    die 1 "The queues and the bucket could not be created: $(tail -n 1 "$data/setup.log")"
  }
  say "$stamp" >"$data/setup.stamp"
}

# has_queues: whether the queues of both applications exist, whatever others there are.
has_queues() {
  local urls name requests=${COURIER_REQUEST_QUEUE:-requestQueue} images=${COURIER_IMAGE_INBOX:-imageInbox}
  urls=$(AWS_MAX_ATTEMPTS=1 aws --endpoint-url "$AWS_ENDPOINT_URL" sqs list-queues \
    --cli-connect-timeout "$answer_seconds" \
    --cli-read-timeout "$answer_seconds" \
    --query "QueueUrls[]" \
    --output text 2>/dev/null) || return 1
  for name in "$requests" "$requests-dead" "${COURIER_RESPONSE_QUEUE:-responseQueue}" \
    "$images" "$images-dead" "${COURIER_IMAGE_OUTBOX:-imageOutbox}"; do
    [[ $urls$'\t' == */"$name"$'\t'* ]] || return 1
  done
}

stay() { say "It keeps running. Stop it with: ./run_local.sh down"; }

where_workers() {
  if have_tmux; then
    say "tmux -L $tmux_name attach -t server-lab3 (numbers) or server2-lab3 (images)."
    say "There, Ctrl-b d detaches and leaves the worker running; Ctrl-C stops it, and ./run_local.sh up starts it again."
  else
    say "in the background; see .local/numbers_worker.py.log and .local/images_worker.py.log"
  fi
}

down() {
  local status=0
  [[ -d $data ]] || {
    say "Nothing is running."
    return 0
  }
  # Finish what was begun, even if the terminal is closed.
  trap '' INT HUP TERM PIPE
  keeps_going=true
  say "Stopping; the workers finish the requests in flight."
  lock
  wake_engine
  stop_workers || status=$?
  stop engine || status=$?
  unlock
  ((status == 0)) || exit "$status"
  say "Stopped. The data is kept in .local/ for the next start."
}

# wake_engine: continue the local AWS if it is suspended, so that the workers can finish and it can end.
wake_engine() {
  local holder
  ! holder=$(locks holders engine) || kill -CONT "$holder" 2>/dev/null || true
}

is_up() { running engine numbers_worker.py images_worker.py; }

# status_of VERB [--json]: what is running, and whether it is well, as aws_setup.sh sees it.
status_of() {
  local verb=$1
  shift
  [[ -z $* || $* == --json ]] || die 2 "$verb takes --json, or nothing. See --help."
  if ! running engine; then
    if [[ -n $* ]]; then
      say '{"kind": "process", "name": "engine", "state": "missing", "verdict": "wrong", "fix": "./run_local.sh up"}'
    else
      say "The local AWS is not running. Start it with: ./run_local.sh up"
    fi
    return 1
  fi
  use_local_aws
  [[ -n $* ]] || ! has_sessions || where_workers
  SETUP_LOCAL="$data" SETUP_PROGRAM=$script_name SETUP_ANSWER_SECONDS=$answer_seconds exec "$here/aws_setup.sh" "$verb" --no-ec2 "$@"
}

# watch_it [OPTIONS]: see it live.
watch_it() {
  running engine || die 1 "The local AWS is not running. Start it with: ./run_local.sh up"
  require_response
  use_local_aws
  export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" SETUP_LOCAL="$data" SETUP_PROGRAM=$script_name
  exec "$venv/bin/python" -m courier.cli.watch "$@"
}

# logs [-f]: the end of the workers' logs. Ctrl-C ends it, and nothing else.
logs() {
  local logs=() program
  [[ -z $* || $* == -f ]] || die 2 "logs takes -f, or nothing. See --help."
  for program in numbers_worker.py images_worker.py; do
    [[ ! -f $data/$program.log ]] || logs+=("$data/$program.log")
  done
  ((${#logs[@]})) || die 1 "There are no logs yet. Start the workers with: ./run_local.sh up"
  if [[ -n $* ]]; then
    follow ${logs[@]+"${logs[@]}"}
  else
    tail -n 20 ${logs[@]+"${logs[@]}"} | pass
  fi
}

# follow FILE...: their ends, and what is added, until a signal.
follow() {
  local tail status=0
  tail -n 20 -f "$@" 2>/dev/null &
  tail=$!
  # shellcheck disable=SC2064  # the number of now
  trap "kill $tail 2>/dev/null || true" EXIT
  trap 'exit 129' HUP
  trap 'exit 143' TERM
  wait "$tail" || status=$?
  ((status < 128)) || exit "$status"
  lose_output 1 "$status"
}

has_sessions() { have_tmux && our_tmux list-sessions >/dev/null 2>&1; }

print_env() {
  local has_programs=false
  [[ :$PATH: != *":$venv/bin:"* ]] || has_programs=true
  use_local_aws
  printf 'unset %s\n' "${foreign[*]}"
  local name
  for name in AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION \
    AWS_EC2_METADATA_DISABLED AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE NO_PROXY no_proxy; do
    printf 'export %s=%q\n' "$name" "${!name}"
  done
  # The programs of an environment of the user's own come first.
  if $has_programs; then
    :
  elif [[ -n ${VIRTUAL_ENV:-} && $VIRTUAL_ENV != "$venv" ]]; then
    printf 'export PATH=%s:%q\n' "\"\$PATH\"" "$venv/bin"
  else
    printf 'export PATH=%q:%s\n' "$venv/bin" "\"\$PATH\""
  fi
  # Version 1 of the CLI ignores AWS_ENDPOINT_URL for queues.
  printf '%s\n' 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
}

# client PROGRAM ARGS...: run a client on the local AWS; stdout has its output only.
client() {
  local python program=$1
  shift
  case " $* " in
    # These need no packages, and therefore no .venv.
    *" --help "* | *" -h "* | *" --version "*)
      python=$(any_python)
      SETUP_LOCAL="$data" exec "$python" "$here/$program" "$@"
      ;;
  esac
  check_port
  check_python
  # Not with && or ||: bash would ignore errors inside them.
  if [[ -n ${PYTHON:-} ]]; then
    prepare local >&2
  fi
  if is_up; then
    require_response
  else
    up >&2
    stay >&2
  fi
  use_local_aws
  export SETUP_LOCAL="$data"
  exec "$venv/bin/python" "$here/$program" "$@"
}

# run_file FILE ARGS...: run a Python program on the local AWS, with this library in its reach.
run_file() {
  [[ ${1:-} != *.py || -f $1 ]] || die 2 "There is no file $1."
  [[ ${1:-} == *.py ]] || die 2 "run takes a Python file, and its arguments: ./run_local.sh run FILE.py [ARGS]"
  {
    lock
    setup
    if running engine; then
      require_response
    else
      start_engine
      stay
    fi
    unlock
  } >&2
  use_local_aws
  export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
  exec "$venv/bin/python" "$@"
}

any_python() { if [[ -z ${PYTHON:-} && -x $venv/bin/python ]]; then say "$venv/bin/python"; else find_python; fi; }

# prepare PART: only create .venv.
prepare() {
  lock
  setup "$1"
  unlock
}

menu() {
  local choice question="Your choice: "
  if [[ ! -t 0 ]]; then
    up
    say "There is no menu without a terminal."
    stay
    return
  fi
  heed_signals
  up
  # After Ctrl-Z and fg: a client prints its own prompt again.
  trap '[[ -n $client ]] || printf "\r%s" "$question"' CONT
  while true; do
    printf '%s\n' "" "Courier on a local AWS" "  1  Numbers" "  2  Images" "  3  Leave, and keep it running" "  0  Stop it all and leave"
    read -r -p "$question" choice || {
      say ""
      break
    }
    case $choice in
      1) open numbers_client.py ;;
      2) open images_client.py ;;
      3)
        dismiss
        stay
        break
        ;;
      0) break ;;
      "") say "Type 0, 1, 2 or 3." ;;
      *)
        choice=$(printable "$choice")
        say "There is no choice '$choice'. Type 0, 1, 2 or 3."
        ;;
    esac
  done
}

# open PROGRAM: run a client's menu; Ctrl-C there is for the client only.
open() {
  trap : INT
  # In the background with wait: otherwise bash handles no signal until the client ends. Background processes ignore
  # Ctrl-C unless they reset it.
  SETUP_LOCAL="$data" "$venv/bin/python" -I -S -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$venv/bin/python" "$here/$1" <&0 &
  client=$!
  while kill -0 "$client" 2>/dev/null; do wait "$client" || true; done
  client=""
  trap 'exit 130' INT
}

# Stop everything, however the menu ends. If it is killed or its terminal is closed, there may be no time for that; then
# a separate process does it.
heed_signals() {
  mkdir -p "$data" 2>/dev/null || die 1 "This folder cannot be written to: $here"
  "$(lock_python)" -I -S "$here/courier/cli/lock_file.py" "$data" after $$ "$here/run_local.sh" down \
    </dev/null >>"$data/down.log" 2>&1 &
  successor=$!
  trap leave EXIT
  trap 'exit 130' INT
  trap end TERM
  trap hang_up HUP
}

# dismiss: keep everything running after this menu ends.
dismiss() {
  trap - EXIT HUP
  kill "$successor" 2>/dev/null || true
}

# Runs at the end of the menu, whatever the reason.
leave() {
  local status=$?
  set +o errexit
  trap - CONT
  unlock
  ! $has_started && ! something_runs || down
  dismiss
  exit "$status"
}

# SIGTERM ends a client's menu as well.
end() {
  if [[ -n $client ]]; then
    kill -TERM "$client" 2>/dev/null || true
    wait "$client" 2>/dev/null || true
  fi
  exit 143
}

# The terminal was closed: the separate process stops everything.
hang_up() {
  trap - EXIT
  unlock
  [[ -z $client ]] || kill -TERM "$client" 2>/dev/null || true
  exit 129
}

main() {
  local verb=${1:-menu} near all
  (($# == 0)) || shift
  trap 'exit 130' INT
  trap unlock EXIT
  # Before a wait for another run.
  case $verb in
    menu | up | run | status | doctor | watch | env) check_port ;;
  esac
  case $verb in
    menu | up | run | setup) check_python ;;
  esac
  case $verb in
    run) run_file "$@" ;;
    numbers | images) client "${verb}_client.py" "$@" ;;
    -h | --help) help ;;
    setup)
      case $* in
        "") prepare local ;;
        --tests) prepare tests ;;
        *) die 2 "setup takes --tests, or nothing. See --help." ;;
      esac
      ;;
    status | doctor) status_of "$verb" "$@" ;;
    watch) watch_it "$@" ;;
    logs) logs "$@" ;;
    menu | up | down | env)
      (($# == 0)) || die 2 "$verb takes no arguments. See --help."
      case $verb in
        env) print_env | pass ;;
        up)
          up
          stay
          ;;
        down)
          down
          keeps_going=false
          ! $is_output_lost || lose_output 1 2
          ;;
        *) menu ;;
      esac
      ;;
    *)
      near=$(did_you_mean "$verb" "${verbs[@]}")
      all=$(one_of "${verbs[@]}")
      die 2 "There is no verb $verb.$near Use $all; see --help."
      ;;
  esac
}

main "$@"
