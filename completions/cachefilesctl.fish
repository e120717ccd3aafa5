# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of cachefilesctl for fish.

set -l commands status volumes cull yield resume reload check

complete -c cachefilesctl -f
complete -c cachefilesctl -s h -l help -d "print the options, and exit"
complete -c cachefilesctl -s V -l version -d "print the version, and exit"
complete -c cachefilesctl -s S -l socket -r -F -d "the socket of the daemon"
complete -c cachefilesctl -s j -l json -d "print the answer as JSON" \
    -n "not __fish_seen_subcommand_from check"

set -l none "not __fish_seen_subcommand_from $commands"
complete -c cachefilesctl -n $none -a status -d "state, space, culling, refused freezes"
complete -c cachefilesctl -n $none -a volumes -d "what the cache holds, by server and export"
complete -c cachefilesctl -n $none -a cull -d "free space now, least recently used files first"
complete -c cachefilesctl -n $none -a yield -d "let go of the cache, for a freeze"
complete -c cachefilesctl -n $none -a resume -d "bind the cache again after that"
complete -c cachefilesctl -n $none -a reload -d "have the configuration read again"
complete -c cachefilesctl -n $none -a check -d "check the configuration and the cache directory"

set -l cull "__fish_seen_subcommand_from cull"
complete -c cachefilesctl -n $cull -l bytes -x -d "as much as that: N[KMGT]"
complete -c cachefilesctl -n $cull -l files -x -d "as many as that"
complete -c cachefilesctl -n $cull -l older-than -x -d "those not used for so long: 90s, 7d"
complete -c cachefilesctl -n $cull -l all -d "all that are not in use"
complete -c cachefilesctl -n $cull -l volume -x -d "only of matching volumes"
complete -c cachefilesctl -n $cull -l orphans -d "those of volumes that nobody will read again"
complete -c cachefilesctl -n $cull -l no-wait -d "do not wait until it is done"

complete -c cachefilesctl -n "__fish_seen_subcommand_from yield" -l for -x -d "bind again after that"
complete -c cachefilesctl -n "__fish_seen_subcommand_from check" -s c -l config -r -F \
    -d "check that file"
