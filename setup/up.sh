# shellcheck shell=bash
# up.sh: create everything, or show what would be created.

make_everything() {
  begin make_queues
  begin make_bucket
  begin make_alarms
  if $with_ec2; then
    begin make_roles
    begin make_group
    $no_ssh || begin make_key
  fi
  finish
  $with_ec2 || return 0
  put_code
  keep_fleet
  if $fleet; then make_fleet; else make_machine; fi
}

up() {
  make_everything
  if ! $with_ec2; then
    look_again
    say "Queues and bucket are ready; $(count_changes) changes were made. Start the workers, then: python numbers_client.py"
    return
  fi
  $fleet || await_machine
  look_again
  say "$(count_changes) changes were made."
  prove
  next_commands
}

# look_again: whether what was found at first is still there; needless if nothing had to be created.
look_again() { (($(count_changes) == 0)) || look_at_queues_again; }

# next_commands: the next commands to type, with the options and variables of this set-up.
next_commands() {
  local flags="" variables="" one
  [[ $name == lab3 ]] || flags+=" --name $name"
  [[ -z $given_region ]] || flags+=" --region $given_region" variables+="AWS_REGION=$given_region "
  [[ -z $profile ]] || flags+=" --profile $profile" variables+="AWS_PROFILE=$profile "
  [[ $name == lab3 || -n ${COURIER_BUCKET:-} ]] || variables+="COURIER_BUCKET=$bucket "
  for one in numbers images; do say "  ${variables}python ${one}_client.py"; done
  say "  ./aws_setup.sh ssh$flags       then: tmux attach -t server-lab3"
  say "  ./aws_setup.sh status$flags"
  say "  ./aws_setup.sh stop$flags      to save money while you pause"
  say "  ./aws_setup.sh down$flags      when you are done"
}

plan() {
  dry=true
  make_everything >"$scratch/plan"
  if $as_json; then
    printf '{"changes": %d, "commands": [%s]}\n' "$(count_changes)" "$(sed -n 's/^would run: //p' "$scratch/plan" | json_strings)" | pass
    return
  fi
  pass <"$scratch/plan"
  say "up would make $(count_changes) changes; nothing was changed."
}

# json_strings: the lines of stdin as JSON strings, separated by commas.
json_strings() { sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&"/' | paste -s -d , -; }
