#!/usr/bin/env bash
#
# bootstrap.sh: turn a new Amazon Linux 2023 instance into a worker instance, and keep it up to date.
#
# usage: bootstrap.sh launch | first-boot | update | rotate-logs
#
# launch        write the settings, and start the service that runs first-boot; this is the instance's user data,
#               which runs as root and once only
# first-boot    make a swap file; install packages, the code from the bucket (checked by its SHA-256), a virtual
#               environment and the services. If it fails, its service runs it again, also after a reboot
# update        install newer code if there is any; a timer runs this every minute
# rotate-logs   cut logs that have become long; run as the workers' user
#
# settings (environment; all but launch read them from $MACHINE_HOME/environment): MACHINE_BUCKET, MACHINE_ACCOUNT (the
# bucket's owner), AWS_REGION, MACHINE_HOME (/opt/courier), MACHINE_USER (courier), and the workers' own.
#
# exit status: 0 done; 1 something failed

set -o errexit -o nounset -o pipefail

home=${MACHINE_HOME:-/opt/courier}
# Where files of the system are, for tests elsewhere.
root=${MACHINE_ROOT:-}
readonly units="$root/etc/systemd/system"
readonly packages=(python3.13 python3.13-pip tmux)
readonly workers=(courier-worker@numbers.service courier-worker@images.service)
readonly timers=(courier-update.timer courier-upgrade.timer)
readonly swap_file="$root/swapfile" swap_megabytes=${MACHINE_SWAP_MEGABYTES:-2048}
readonly kept_releases=3 most_log_bytes=20000000
# What check_code.py exits with if the code in the bucket is the installed one.
readonly unchanged=3

say() { printf '%s bootstrap.sh: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }

read_settings() {
  set -o allexport
  # shellcheck source=/dev/null
  . "$home/environment"
  set +o allexport
  user=${MACHINE_USER:-courier}
}

write_settings() {
  local name
  mkdir -p "$home"/{releases,venvs}
  for name in $(compgen -e | grep -E '^(AWS_(REGION|DEFAULT_REGION|ENDPOINT_URL)|(COURIER|MACHINE)_[A-Z_]+)$'); do
    printf '%s=%q\n' "$name" "${!name}"
  done >"$home/environment"
}

# first_boot_unit: no time limit, and no limit to how often it is tried.
first_boot_unit() {
  cat <<END
[Unit]
Description=Install Courier's workers on this new instance
Wants=network-online.target
After=network-online.target
ConditionPathExists=!$home/ready
StartLimitIntervalSec=0

[Service]
Type=oneshot
EnvironmentFile=$home/environment
Environment=TMPDIR=/var/tmp
ExecStart=$home/bootstrap.sh first-boot
Restart=on-failure
RestartSec=15
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
END
}

# launch: nothing here needs the network, and nothing else runs once only.
launch() {
  write_settings
  install -m 755 "$0" "$home/bootstrap.sh"
  mkdir -p "$units"
  first_boot_unit >"$units/courier-first-boot.service"
  systemctl daemon-reload
  systemctl enable --now --no-block courier-first-boot.service
}

# add_instance_id: to the settings of a group's instance, from its metadata service (IMDSv2).
add_instance_id() {
  local service=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254} token id
  [[ -n ${COURIER_SCALING_GROUP:-} && -z ${COURIER_INSTANCE_ID:-} ]] || return 0
  token=$(curl --silent --fail --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$service/latest/api/token")
  id=$(curl --silent --fail --header "X-aws-ec2-metadata-token: $token" "$service/latest/meta-data/instance-id")
  printf 'COURIER_INSTANCE_ID=%q\n' "$id" >>"$home/environment"
}

# make_swap: a large image beside a second worker is slow in swap space, and killed without it.
make_swap() {
  local used
  used=$(swapon --show=NAME --noheadings) || return 1
  if [[ $used != *"$swap_file"* ]]; then
    # Written in full: swap space must have no holes.
    dd if=/dev/zero of="$swap_file.part" bs=1M count="$swap_megabytes" status=none || return 1
    chmod 600 "$swap_file.part" || return 1
    mkswap "$swap_file.part" >/dev/null || return 1
    mv "$swap_file.part" "$swap_file" || return 1
    if ! swapon "$swap_file"; then
      rm -f "$swap_file"
      return 1
    fi
  fi
  grep -qsF "$swap_file " "$root/etc/fstab" || printf '%s none swap sw 0 0\n' "$swap_file" >>"$root/etc/fstab"
}

get_object() { # KEY FILE; prints the ETag
  aws s3api get-object \
    --bucket "$MACHINE_BUCKET" \
    --key "$1" \
    --expected-bucket-owner "$MACHINE_ACCOUNT" \
    --query ETag \
    --output text \
    ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} \
    "$2" </dev/null
}

# fetch: download the active code to releases/; unpack it only if its SHA-256 is that of deploy/current.
fetch() {
  local key
  etag=$(get_object deploy/current "$home/wanted") || return 1
  read -r sum key <"$home/wanted" || true
  [[ ${sum:-} =~ ^[0-9a-f]{64}$ ]] || return 1
  release=$home/releases/$sum
  [[ ! -d $release ]] || return 0
  say "downloading code ${sum:0:12}"
  get_object "$key" "$home/code.tar.gz" >/dev/null || return 1
  if ! printf '%s  %s\n' "$sum" "$home/code.tar.gz" | sha256sum --check --status; then
    say "the code in the bucket does not match deploy/current; it is ignored"
    return 1
  fi
  unpack || return 1
}

unpack() {
  # Each with its own return: in a condition, bash ignores errors.
  rm -rf "$release.part" || return 1
  mkdir "$release.part" || return 1
  tar -xzf "$home/code.tar.gz" -C "$release.part" --no-same-owner || return 1
  rm -f "$home/code.tar.gz"
  # The workers' user must be able to read it, even if it was packed under a strict umask.
  chmod -R u=rwX,go=rX "$release.part" || return 1
  [[ -s $release.part/requirements.lock ]] || return 1
  make_venv "$release.part" || return 1
  # The workers cannot write there.
  "$release.part/.venv/bin/python" -m compileall -q "$release.part/courier" || return 1
  mv "$release.part" "$release" || return 1
}

# make_venv RELEASE: link its virtual environment, shared by all releases with the same lock file.
make_venv() {
  local python=${MACHINE_PYTHON:-python3.13} venv
  venv=$home/venvs/$(sha256sum <"$1/requirements.lock" | cut -c 1-16)
  if [[ ! -f $venv/.complete ]]; then
    say "installing Python packages"
    "$python" -m venv --clear "$venv" &&
      "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --require-hashes --only-binary=:all: -r "$1/requirements.lock" || return 1
    touch "$venv/.complete"
  fi
  ln -sfn "$venv" "$1/.venv"
}

activate() {
  [[ $(readlink "$home/current" || true) != "$release" ]] || return 0
  ln -sfn "$release" "$home/current"
  say "code ${sum:0:12} is active"
  remove_old_releases
}

# remove_old_releases: keep the previous ones, and the environments that they use.
remove_old_releases() {
  local venv
  find "$home/releases" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn |
    awk -v kept="$kept_releases" 'NR > kept { print $2 }' | xargs -r rm -rf
  for venv in "$home"/venvs/*; do
    [[ $(readlink "$home"/releases/*/.venv) == *"$venv"* ]] || rm -rf "$venv"
  done
}

make_user() { id "$user" >/dev/null 2>&1 || useradd --system --no-create-home --home-dir "$home" --shell /sbin/nologin "$user"; }

# install_file MODE FILE TARGET: add the target to `installed`, unless it is the same already.
install_file() {
  ! cmp -s "$2" "$3" || return 0
  install -D -m "$1" "$2" "$3"
  installed+=" ${3##*/}"
}

# install_services: the units of the active code.
install_services() {
  local from=$home/current/setup/on_instance unit
  installed=""
  make_user
  for unit in "$from"/courier-*; do install_file 644 "$unit" "$units/${unit##*/}"; done
  install_file 644 "$from/tmpfiles.conf" "$root/etc/tmpfiles.d/courier.conf"
  install_file 755 "$from/tmux.sh" "$root/usr/local/bin/tmux"
  systemctl daemon-reload
  systemctl enable --quiet --now "${timers[@]}"
}

first_boot() {
  read_settings
  add_instance_id
  say "making a swap file"
  if ! make_swap; then
    rm -f "$swap_file.part"
    say "there is no swap file; large images may fail"
  fi
  say "installing packages"
  dnf install -y --quiet "${packages[@]}"
  if ! fetch; then
    say "the code could not be installed; trying again"
    exit 1
  fi
  activate
  install_services
  systemctl enable --quiet --now "${workers[@]}"
  printf '%s\n' "$etag" >"$home/etag"
  touch "$home/ready"
  say "the instance is ready"
}

# is_current: ask with one conditional request. The CLI needs several times the CPU only to start.
is_current() {
  local status=0
  "$home/current/.venv/bin/python" -I "$home/current/setup/on_instance/check_code.py" \
    "$MACHINE_BUCKET" "$MACHINE_ACCOUNT" "$home/etag" || status=$?
  ((status == unchanged))
}

update() {
  read_settings
  # Only the workers' user writes there: another program in that folder could have put a link into it.
  if [[ -n $(find "$root/var/log/courier" -name '*.log' -size "+${most_log_bytes}c" 2>/dev/null) ]]; then
    as_worker "$home/current/setup/on_instance/bootstrap.sh" rotate-logs
  fi
  ! is_current || return 0
  fetch || return 1
  if [[ $(readlink "$home/current") != "$release" ]]; then
    activate
    install_services
    # Only a restart takes over what a unit says. Both are graceful.
    if [[ $installed == *courier-worker@* ]]; then systemctl restart "${workers[@]}"; else systemctl reload "${workers[@]}"; fi
  fi
  printf '%s\n' "$etag" >"$home/etag"
}

as_worker() { # COMMAND...
  if [[ $(id -un) == "$user" ]]; then "$@"; else runuser -u "$user" -- "$@"; fi
}

rotate_logs() {
  local log
  for log in "$root"/var/log/courier/*.log; do
    [[ -f $log ]] && (($(stat -c %s "$log") > most_log_bytes)) || continue
    [[ ! -f $log.1 ]] || mv "$log.1" "$log.2"
    cp "$log" "$log.1"
    : >"$log"
  done
}

case ${1:-launch} in
  launch) launch ;;
  first-boot) first_boot ;;
  update) update ;;
  rotate-logs) rotate_logs ;;
  *)
    say "usage: bootstrap.sh launch | first-boot | update | rotate-logs"
    exit 2
    ;;
esac
