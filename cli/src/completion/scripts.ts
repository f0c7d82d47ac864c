export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What `__complete` prints, alone, when file names are wanted. */
export const FILES_DIRECTIVE = ':files';

/** Each asks the command itself, by the name it was called with, and knows nothing of its options. */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion for skein
_skein() {
  local IFS=$'\\n' answer
  answer=$("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ $answer == ${FILES_DIRECTIVE} ]]; then
    compopt -o default
    COMPREPLY=()
  else
    COMPREPLY=($answer)
  fi
}
complete -F _skein skein
`,
  zsh: `#compdef skein
_skein() {
  local -a answer
  answer=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $answer[1] == ${FILES_DIRECTIVE} ]]; then
    _files
  elif [[ -n $answer[1] ]]; then
    compadd -- "\${answer[@]}"
  fi
}
compdef _skein skein
`,
  fish: `# fish completion for skein
function __skein_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l answer ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    if test "$answer" = ${FILES_DIRECTIVE}
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $answer
    end
end
complete -c skein -f -a '(__skein_complete)'
`,
};
