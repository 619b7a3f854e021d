# shellcheck shell=bash
# output.sh: lines for people, which a terminal does not break within words. Sourced by aws_setup.sh and run_local.sh.

readonly least_columns=20
# The status of a program whose output's reader has closed it, as shells report it.
readonly broken_pipe=141
# Whether to go on when the output cannot be written, and whether that has happened.
keeps_going=false
is_output_lost=false

say() { wrap 1 "$*"; }

# wrap DESCRIPTOR TEXT: print it; on a terminal, in lines that end at words. A word longer than a line stays whole, and so
# do commands, so that they can be copied.
wrap() {
  local size="" width
  # Within $( ), the first descriptor would be another.
  [[ ! -t $1 ]] || { size=$(stty size <&4 2>/dev/null) || true; } 4<&"$1"
  width=${size##* }
  {
    if [[ -n $width ]] && ((width >= least_columns)); then
      wrap_lines "$width" <<<"$2" >&3
    else
      printf '%s\n' "$2" >&3
    fi
  } 3>&"$1" 2>/dev/null || lose_output "$1" $?
}

# pass: copy stdin, as it is.
pass() { cat 2>/dev/null || lose_output 1 $?; }

# lose_output DESCRIPTOR STATUS: exit with one sentence, since the output cannot be written. Errors of stderr are ignored.
lose_output() {
  local reason=""
  [[ $1 != 2 ]] || return 0
  # The shell's own words say why.
  (($2 == broken_pipe)) || { reason=$({ printf '\n' >&3; } 2>&1) || true; } 3>&"$1"
  # shellcheck disable=SC2034  # run_local.sh reads it
  is_output_lost=true
  ! $keeps_going || return 0
  [[ $2 != "$broken_pipe" && $reason != *"Broken pipe"* ]] || exit "$broken_pipe"
  # Of several commands at once, one says it.
  [[ -z ${scratch:-} ]] || mkdir "$scratch/lost" 2>/dev/null || exit 2
  reason=${reason##*error: }
  wrap 2 "${script_name:-${0##*/}}: The output cannot be written${reason:+: $reason}."
  exit 2
}

# printable TEXT: the text, with what a terminal would not show as an escape. Line endings are kept.
printable() {
  local rest=$1 char code shown=""
  [[ ${rest//$'\n'/} == *[![:print:]]* ]] || {
    printf '%s' "$rest"
    return
  }
  while [[ -n $rest ]]; do
    char=${rest:0:1}
    rest=${rest:1}
    printf -v code '%d' "'$char"
    if [[ $char != $'\n' ]] && { [[ $char == [[:cntrl:]] ]] || { ((code > 255)) && [[ $char == [![:print:]] ]]; }; }; then
      if ((code > 255)); then printf -v char '\\u%04x' "$code"; else printf -v char '\\x%02x' "$code"; fi
    fi
    shown+=$char
  done
  printf '%s' "$shown"
}

# one_of WORD...: the words for the end of a sentence.
one_of() {
  local text
  text=$(printf ', %s' "${@:1:$#-1}")
  printf '%s or %s' "${text#, }" "${!#}"
}

# did_you_mean WORD KNOWN...: a question, after a blank, for the known word that begins with WORD or is most like it:
# at most two edits away, and with more than half of its letters. Nothing if none is.
did_you_mean() {
  local near
  near=$(printf '%s\n' "$@" | awk '
    # The edit distance, with swapped neighbors as one edit (optimal string alignment).
    function distance(one, other,    i, j, least, same, d) {
      for (i = 0; i <= length(one); i++) d[i, 0] = i
      for (j = 0; j <= length(other); j++) d[0, j] = j
      for (i = 1; i <= length(one); i++) {
        for (j = 1; j <= length(other); j++) {
          same = substr(one, i, 1) == substr(other, j, 1)
          least = d[i - 1, j - 1] + (same ? 0 : 1)
          if (d[i - 1, j] + 1 < least) least = d[i - 1, j] + 1
          if (d[i, j - 1] + 1 < least) least = d[i, j - 1] + 1
          if (i > 1 && j > 1 && substr(one, i, 1) == substr(other, j - 1, 1) && substr(one, i - 1, 1) == substr(other, j, 1))
            if (d[i - 2, j - 2] + 1 < least) least = d[i - 2, j - 2] + 1
          d[i, j] = least
        }
      }
      return d[length(one), length(other)]
    }
    NR == 1 { word = tolower($0); best = 3; next }
    word == "" { next }
    { away = index($0, word) == 1 ? 0 : distance(word, $0) }
    away < best && 2 * away <= length(word) { best = away; near = $0 }
    END { print near }')
  [[ -z $near ]] || printf ' Did you mean %s?' "$near"
}

# wrap_lines WIDTH: the lines of stdin.
wrap_lines() {
  awk -v width="$1" '
    /^(\+ |would run: |  )/ || length($0) <= width { print; next }
    # The number of words from `first` on that stay in one line: a command, up to the end of its sentence.
    function whole(first,    last, text, two) {
      if (words[first] !~ /^(\.\/[a-z_]+\.sh|[A-Z_]+=[^ ]+|aws|pip|python3?|rm|timedatectl|tmux)$/) return 1
      text = words[first]
      for (last = first; last < count && words[last] !~ /[.,;:)]$/ && words[last + 1] !~ /^\(/; last++) {
        text = text " " words[last + 1]
        if (last == first && length(text) <= width) two = 1
      }
      return length(text) <= width ? last - first + 1 : 1 + two
    }
    {
      count = split($0, words, " ")
      line = ""
      for (i = 1; i <= count; i += taken) {
        taken = whole(i)
        unit = words[i]
        for (j = 1; j < taken; j++) unit = unit " " words[i + j]
        if (i == 1) {
          line = unit
        } else if (length(line) + 1 + length(unit) <= width) {
          line = line " " unit
        } else {
          print line
          line = unit
        }
      }
      print line
    }'
}
