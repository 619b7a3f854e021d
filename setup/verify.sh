# shellcheck shell=bash
# verify.sh: prove on the real AWS what no emulator can. The checks are in scripts/verify.

verify() {
  local python options=()
  python=$(find_python) || die 2 "verify needs Python with boto3, NumPy, Pillow and rich. Run ./run_local.sh setup once."
  # The same sentences as of every other verb, if AWS cannot be used.
  connect
  # Another set-up's resources must not be in the way of the checks, nor the checks in its way.
  [[ $name == lab3 ]] || options+=(--name "$name")
  [[ -z $region ]] || options+=(--region "$region")
  [[ -z $profile ]] || options+=(--profile "$profile")
  [[ -z $instance_type ]] || options+=(--type "$instance_type")
  [[ -z $ssh_cidr ]] || options+=(--ssh-cidr "$ssh_cidr")
  [[ -z $key_path ]] || options+=(--key "$key_path")
  [[ -z $only ]] || options+=(--only "$only")
  ! $no_ssh || options+=(--no-ssh)
  ! $long || options+=(--long)
  ! $yes || options+=(--yes)
  ! $as_json || options+=(--json)
  PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -m scripts.verify ${options[@]+"${options[@]}"}
}
