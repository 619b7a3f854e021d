#!/usr/bin/env bash
#
# machine.sh: turn a new Amazon Linux 2023 instance into a worker machine, and keep it up to date.
#
# usage: machine.sh first-boot | update
#
# first-boot   install packages, the code from the bucket (checked by its SHA-256), a virtual environment and the
#              services; this is the instance's user data, which runs as root
# update       install newer code if there is any, and restart sessions that have ended; a timer runs this every
#              minute
#
# settings (environment; update reads them from $MACHINE_HOME/environment): MACHINE_BUCKET, AWS_REGION,
# MACHINE_HOME (/opt/courier), MACHINE_USER (ec2-user), and the workers' own.
#
# exit status: 0 done; 1 something failed after all retries

set -o errexit -o nounset -o pipefail

home=${MACHINE_HOME:-/opt/courier}
readonly packages=(python3.13 python3.13-pip tmux)
readonly most_log_bytes=20000000
# A quarter of an hour: the network, the role and the package index may all take a while.
readonly tries=90

say() { printf '%s machine.sh: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }

call_s3() { aws s3 "$@" ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} </dev/null; }

# persist COMMAND...: retry it; the network and the role may take a moment.
persist() {
  local try
  for ((try = 1; try <= tries; try++)); do
    "$@" && return
    say "try $try of $tries failed: $*"
    sleep "${MACHINE_RETRY_SECONDS:-10}"
  done
  return 1
}

# own_id: this instance's ID, from its metadata service (IMDSv2).
own_id() {
  local service=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254} token
  token=$(curl --silent --fail --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$service/latest/api/token")
  curl --silent --fail --header "X-aws-ec2-metadata-token: $token" "$service/latest/meta-data/instance-id"
}

write_environment() {
  local name
  mkdir -p "$home"/{releases,venvs,logs}
  if [[ -n ${COURIER_SCALING_GROUP:-} ]]; then
    COURIER_INSTANCE_ID=$(own_id)
    export COURIER_INSTANCE_ID
  fi
  for name in $(compgen -e | grep -E '^(AWS_(REGION|DEFAULT_REGION|ENDPOINT_URL)|(COURIER|MACHINE)_[A-Z_]+)$'); do
    printf '%s=%s\n' "$name" "${!name}"
  done >"$home/environment"
}

# fetch: download the active code to releases/; unpack it only if its SHA-256 is that of deploy/current.
fetch() {
  local key
  read -r sum key < <(call_s3 cp "s3://$MACHINE_BUCKET/deploy/current" -) || true
  [[ ${sum:-} =~ ^[0-9a-f]{64}$ ]] || return 1
  release=$home/releases/$sum
  [[ ! -d $release ]] || return 0
  call_s3 cp --quiet "s3://$MACHINE_BUCKET/$key" "$home/code.tar.gz" || return 1
  if ! printf '%s  %s\n' "$sum" "$home/code.tar.gz" | sha256sum --check --status; then
    say "the code in the bucket does not match deploy/current; it is ignored"
    return 1
  fi
  # Each with its own return: in a condition, bash ignores errors.
  rm -rf "$release.part" || return 1
  mkdir "$release.part" || return 1
  tar -xzf "$home/code.tar.gz" -C "$release.part" --no-same-owner || return 1
  rm -f "$home/code.tar.gz"
  [[ -s $release.part/requirements.txt ]] || return 1
  make_venv "$release.part" || return 1
  mv "$release.part" "$release"
}

# make_venv RELEASE: link its virtual environment, shared by all releases with the same requirements.
make_venv() {
  local python=${MACHINE_PYTHON:-python3.13} venv
  venv=$home/venvs/$(sha256sum <"$1/requirements.txt" | cut -c 1-16)
  if [[ ! -f $venv/.complete ]]; then
    "$python" -m venv --clear "$venv" &&
      "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1/requirements.txt" || return 1
    touch "$venv/.complete"
  fi
  ln -sfn "$venv" "$1/.venv"
}

activate() {
  [[ $(readlink "$home/current" || true) != "$release" ]] || return 1
  ln -sfn "$release" "$home/current"
  say "code ${sum:0:12} is active"
  # Keep the two previous releases.
  find "$home/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | awk 'NR > 3 { print $2 }' | xargs -r rm -rf
}

as_worker() { # COMMAND...
  local user=${MACHINE_USER:-ec2-user}
  if [[ $(id -un) == "$user" ]]; then "$@"; else runuser -u "$user" -- "$@"; fi
}

# install_units: install the services of the active code.
install_units() {
  local unit
  for unit in courier-workers.service courier-update.service courier-update.timer; do
    install -m 644 "$home/current/setup/on_machine/$unit" "${MACHINE_UNITS:-/etc/systemd/system}/$unit" || return 1
  done
  systemctl daemon-reload
}

install_services() {
  chown -R "${MACHINE_USER:-ec2-user}" "$home/logs"
  install_units
  systemctl enable --now courier-workers.service courier-update.timer
}

shorten_logs() {
  local log
  for log in "$home"/logs/*.log; do
    [[ -f $log ]] && (($(stat -c %s "$log") > most_log_bytes)) || continue
    cp "$log" "$log.1"
    : >"$log"
  done
}

first_boot() {
  write_environment
  persist dnf install -y --quiet "${packages[@]}"
  persist fetch
  activate || true
  install_services
  say "the instance is ready"
}

update() {
  set -o allexport
  # shellcheck source=/dev/null
  . "$home/environment"
  set +o allexport
  if fetch && activate; then
    as_worker "$home/current/setup/on_machine/sessions.sh" renew
    install_units
  fi
  # A tmux server started by this service would end with it.
  systemctl --quiet is-active courier-workers.service || systemctl start courier-workers.service || return 1
  as_worker "$home/current/setup/on_machine/sessions.sh" start
  shorten_logs
}

case ${1:-} in
  first-boot) first_boot ;;
  update) update ;;
  *)
    say "usage: machine.sh first-boot | update"
    exit 2
    ;;
esac
