# shellcheck shell=bash
# output.sh: lines for people, which a terminal does not break within words. Sourced by aws_setup.sh and run_local.sh.

readonly least_columns=20

say() { wrap 1 "$*"; }

# wrap DESCRIPTOR TEXT: print it; on a terminal, in lines that end at words. A word longer than a line stays whole, and so
# do commands that are shown, so that they can be copied.
wrap() {
  local size="" width
  # Within $( ), the first descriptor would be another.
  [[ ! -t $1 ]] || { size=$(stty size <&4 2>/dev/null) || true; } 4<&"$1"
  width=${size##* }
  if [[ -n $width ]] && ((width >= least_columns)); then
    wrap_lines "$width" <<<"$2" >&"$1"
  else
    printf '%s\n' "$2" >&"$1"
  fi
}

# wrap_lines WIDTH: the lines of stdin.
wrap_lines() {
  awk -v width="$1" '
    /^(\+ |would run: |  )/ || length($0) <= width { print; next }
    {
      count = split($0, words, " ")
      line = words[1]
      for (i = 2; i <= count; i++) {
        if (length(line) + 1 + length(words[i]) <= width) {
          line = line " " words[i]
        } else {
          print line
          line = words[i]
        }
      }
      print line
    }'
}
