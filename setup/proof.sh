# shellcheck shell=bash
# proof.sh: send one request through each application.

# How often the boot's progress is looked at.
readonly boot_seconds=${SETUP_BOOT_PAUSE:-15}

# prove: send one request through each application, and show how long it took.
prove() {
  local python folder watcher status=0
  ((proof_seconds > 0)) || {
    limit_old_bursts
    return 0
  }
  python=$(find_python) || {
    limit_old_bursts
    say "The clients need Python with boto3, so no request was sent. Run ./run_local.sh setup once, then: .venv/bin/python numbers_client.py check"
    return
  }
  folder=$(mktemp -d "$scratch/proof.XXXXXX")
  lift_limits
  say "Waiting for the workers, up to $proof_seconds s: a new instance takes two or three minutes."
  show_boot &
  watcher=$!
  try_out numbers "$python" "$here/numbers_client.py" send "1, 5, 22" --json --timeout "$proof_seconds" &&
    try_out images "$python" "$here/images_client.py" run --to "$folder" --replace --json --timeout "$proof_seconds" || status=1
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  # A boot that has not ended by now must not go on at extra cost, either.
  limit_bursts
  ((status == 0)) || exit 1
}

# limit_old_bursts: without a proof nobody knows when a boot ends; that of an instance of an earlier up has ended.
limit_old_bursts() { [[ -n $made_id ]] || $is_new_group || limit_bursts; }

try_out() { # application, command
  local started=$SECONDS application=$1
  shift
  if use_account "$@" >"$scratch/$application" 2>&1; then
    say "proof: $application responded after $((SECONDS - started)) s: $(head -n 1 "$scratch/$application" | cut -c 1-100)"
  else
    warn "The $application worker did not respond: $(tail -n 1 "$scratch/$application") Look at its log: ./aws_setup.sh logs; or find the cause: ./aws_setup.sh doctor"
    return 1
  fi
}

# show_boot: while the first instance boots, print what bootstrap.sh reports on its console.
show_boot() {
  local id=$made_id shown="" lines group=""
  if $is_new_group; then
    group=$(find_instance pending,running)
    id=${group%%[[:space:]]*}
  fi
  # Ctrl-C does not reach a command in the background.
  while [[ -n $id ]] && kill -0 $$ 2>/dev/null; do
    lines=$(console "$id" | tr -d '\r' | sed -n 's/^.*\(....-..-..T..:..:..Z\) bootstrap\.sh: /\1 /p')
    awk -v shown="$shown" '{ line[NR] = $0 } $0 == shown { last = NR } END { for (i = last + 1; i <= NR; i++) print "instance: " line[i] }' <<<"${lines:-$shown}"
    [[ -z $lines ]] || shown=${lines##*$'\n'}
    # Ended with this script, it must not keep a program that reads the output waiting.
    sleep "$boot_seconds" >/dev/null 2>&1
  done
}

# console ID: what the instance wrote to its console, up to this moment where its type allows that.
console() {
  local call=(ec2 get-console-output --instance-id "$1" --query Output --output text)
  (aws_try "${call[@]}" --latest 2>/dev/null) || (aws_try "${call[@]}" 2>/dev/null) || true
}

# use_account COMMAND...: run a client with this set-up's region, profile and bucket.
use_account() {
  local drop=()
  # Credentials in the environment would take precedence over a profile.
  [[ -z $profile ]] || drop=(-u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN)
  env ${drop[@]+"${drop[@]}"} AWS_REGION="$region" AWS_DEFAULT_REGION="$region" COURIER_BUCKET="$bucket" ${profile:+AWS_PROFILE="$profile"} "$@"
}

find_python() {
  local candidate
  for candidate in "$here/.venv/bin/python" python3 python; do
    if "$candidate" -c 'from importlib.util import find_spec; exit(not all(map(find_spec, ("boto3", "numpy", "PIL", "rich"))))' 2>/dev/null; then
      say "$candidate"
      return
    fi
  done
  return 1
}
