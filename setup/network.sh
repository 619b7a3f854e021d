# shellcheck shell=bash
# network.sh: who may reach the machine by SSH, and with which key.

group_name() { if [[ $name == lab3 ]]; then say cloudGroup; else say "cloudGroup-$name"; fi; }

key_name() { if $is_lab && [[ $region == us-east-1 ]]; then say vockey; else say "$name-key"; fi; }

key_file() { say "${key_path:-$HOME/.ssh/$(key_name)}"; }

# find_group: set `known_group` to its id and `known_group_owner`, and recall from its tag that there is to be no SSH.
find_group() {
  local there
  there=$(aws_lookup ec2 describe-security-groups \
    --filters "Name=group-name,Values=$(group_name)" \
    --query "SecurityGroups[0].[GroupId, (Tags[?Key=='courier'].Value | [0]) || '-', (Tags[?Key=='courier-ssh'].Value | [0]) || '-']" \
    --output text)
  read -r known_group known_group_owner known_ssh <<<"$there"
  [[ $known_ssh != none || -n $ssh_cidr ]] || no_ssh=true
}

group_id() {
  aws_lookup ec2 describe-security-groups \
    --filters "Name=group-name,Values=$(group_name)" \
    --query "SecurityGroups[0].GroupId" \
    --output text
}

# my_address: the caller's own address as AWS sees it, as a CIDR of one.
my_address() {
  local address
  address=$(curl --silent --show-error --max-time 10 "${SETUP_ADDRESS_URL:-https://checkip.amazonaws.com}" 2>&1) || true
  [[ $address =~ ^[0-9]+(\.[0-9]+){3}$ ]] ||
    die 1 "Your own address could not be found out. Name it with --ssh-cidr ADDRESS/32, or do without SSH: --no-ssh"
  say "$address/32"
}

# find_ssh_cidr: set who may come in by SSH; nobody is the empty text.
find_ssh_cidr() {
  find_group
  if $no_ssh; then
    ssh_cidr=""
    return
  fi
  [[ -n $ssh_cidr ]] || ssh_cidr=$(my_address)
  [[ $ssh_cidr == */* ]] || ssh_cidr="$ssh_cidr/32"
  [[ $ssh_cidr =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$ ]] || die 2 "--ssh-cidr is '$ssh_cidr', and must be like 203.0.113.7/32."
  settle_cidr
}

# settle_cidr: write the range as AWS does, from its first address on.
settle_cidr() {
  local a b c d bits part first
  IFS=./ read -r a b c d bits <<<"$ssh_cidr"
  for part in "$a" "$b" "$c" "$d"; do
    ((10#$part <= 255)) || die 2 "--ssh-cidr is '$ssh_cidr', and $part is more than 255."
  done
  bits=$((10#$bits))
  ((bits <= 32)) || die 2 "--ssh-cidr is '$ssh_cidr', and a range has at most 32 bits."
  ((bits >= 8)) || die 2 "--ssh-cidr $ssh_cidr would let nearly everybody try. Name your own address: ADDRESS/32"
  first=$((((10#$a << 24) + (10#$b << 16) + (10#$c << 8) + 10#$d) >> (32 - bits) << (32 - bits)))
  ssh_cidr="$((first >> 24 & 255)).$((first >> 16 & 255)).$((first >> 8 & 255)).$((first & 255))/$bits"
}

# refuse_foreign_group: end if the group was not made by this set-up, before its rules are changed.
refuse_foreign_group() {
  [[ -z $known_group || $known_group_owner == "$name" ]] ||
    die 1 "The security group $(group_name) was not made by this set-up, and is left alone. Remove it (aws ec2 delete-security-group --group-id $known_group), or choose another --name."
}

make_group() {
  local id=$known_group
  refuse_foreign_group
  if [[ -z $id ]]; then
    aws_apply ec2 create-security-group \
      --group-name "$(group_name)" \
      --description "Courier: SSH from one address only" \
      --tag-specifications "ResourceType=security-group,Tags=[{Key=courier,Value=$name},{Key=courier-ssh,Value=$(wanted_ssh)}]" \
      --query GroupId \
      --output text
    id=$answer
  else
    remember_ssh
  fi
  # In a plan, there may be none yet.
  settle_rules "${id:-$(group_name)}"
}

wanted_ssh() { if $no_ssh; then say none; else say one; fi; }

# remember_ssh: have the group's tag say whether there is to be SSH.
remember_ssh() {
  local wanted
  wanted=$(wanted_ssh)
  [[ $known_ssh == "$wanted" ]] || aws_apply ec2 create-tags \
    --resources "$known_group" \
    --tags "Key=courier-ssh,Value=$wanted"
}

# settle_rules GROUP: SSH from one address (or none), and nothing from the whole world.
settle_rules() {
  local rules="" rule protocol from to v4 v6 is_open=false
  [[ $1 != sg-* ]] || rules=$(aws_lookup ec2 describe-security-group-rules \
    --filters "Name=group-id,Values=$1" \
    --query 'SecurityGroupRules[?!IsEgress].[SecurityGroupRuleId,IpProtocol,FromPort,ToPort,CidrIpv4,CidrIpv6]' \
    --output text)
  while read -r rule protocol from to v4 v6; do
    [[ -n $rule ]] || continue
    if [[ -n $ssh_cidr && "$protocol $from $to $v4" == "tcp 22 22 $ssh_cidr" ]]; then
      is_open=true
    elif [[ "$v4 $v6" == *0.0.0.0/0* || "$v4 $v6" == *::/0* ]] || covers_ssh "$protocol" "$from" "$to"; then
      aws_apply ec2 revoke-security-group-ingress --group-id "$1" --security-group-rule-ids "$rule"
    else
      say "left as it is: rule $rule of $(group_name), $protocol $from to $to from $v4 $v6"
    fi
  done <<<"$rules"
  [[ -z $ssh_cidr ]] || $is_open || aws_apply ec2 authorize-security-group-ingress \
    --group-id "$1" \
    --protocol tcp \
    --port 22 \
    --cidr "$ssh_cidr"
}

covers_ssh() { # protocol, from, to
  [[ $1 == -1 ]] || { [[ $1 == tcp && $2 =~ ^[0-9]+$ ]] && (($2 <= 22 && $3 >= 22)); }
}

remove_group() {
  [[ $known_group_owner != "$name" ]] || aws_apply ec2 delete-security-group --group-id "$known_group"
}

# make_key: a key pair that is made here and never leaves; AWS gets the public half.
make_key() {
  local there file
  file=$(key_file)
  if [[ $(key_name) == vockey ]]; then
    say "key vockey is the lab's own: its private half (labsuser.pem) is under AWS Details, Download PEM"
    return
  fi
  there=$(aws_lookup ec2 describe-key-pairs \
    --key-names "$(key_name)" \
    --include-public-key \
    --query "KeyPairs[0].PublicKey || '-'" \
    --output text)
  if [[ ! -f $file && -n $there ]]; then
    warn "AWS has the key $(key_name), and $file is not there: only ssh and logs need it. Name its private half with --key."
    return
  fi
  [[ -f $file ]] || generate_key "$file"
  if [[ -z $there ]]; then
    public_half "$file"
    aws_apply ec2 import-key-pair \
      --key-name "$(key_name)" \
      --public-key-material "fileb://$scratch/key.pub" \
      --tag-specifications "ResourceType=key-pair,Tags=[{Key=courier,Value=$name}]"
    return
  fi
  public_half "$file"
  if [[ $there != - && "$(cut -d ' ' -f 1-2 "$scratch/key.pub")" != "$(cut -d ' ' -f 1-2 <<<"$there")" ]]; then
    die 1 "AWS's key $(key_name) is another than that in $file. Name the right file with --key, or give the one in AWS up: aws ec2 delete-key-pair --key-name $(key_name)"
  else
    say "key $(key_name) is there"
  fi
}

# public_half FILE: leave it in key.pub.
public_half() {
  $dry && [[ ! -f $1 ]] && return
  ssh-keygen -y -P '' -f "$1" >"$scratch/key.pub" 2>"$scratch/key.errors" ||
    die 1 "The key $1 cannot be read: $(one_line "$(<"$scratch/key.errors")") It must be yours alone (chmod 600) and have no passphrase."
}

generate_key() { # file
  if $dry; then
    say "would run: ssh-keygen -t ed25519 -f $1"
    return
  fi
  say "+ ssh-keygen -t ed25519 -f $1"
  mkdir -p "$(dirname "$1")"
  (umask 077 && ssh-keygen -q -t ed25519 -N '' -C "$(key_name)" -f "$1" </dev/null >/dev/null)
}

# own_key: the key's name if this set-up has imported it.
own_key() {
  aws_lookup ec2 describe-key-pairs \
    --filters "Name=key-name,Values=$(key_name)" "Name=tag:courier,Values=$name" \
    --query "KeyPairs[0].KeyName" \
    --output text
}

remove_key() {
  local there
  [[ $(key_name) != vockey ]] || return 0
  there=$(own_key)
  [[ -z $there ]] || aws_apply ec2 delete-key-pair --key-name "$(key_name)"
}
