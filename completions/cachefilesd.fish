# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of cachefilesd for fish.

complete -c cachefilesd -f
complete -c cachefilesd -s c -l config -r -F -d "read that file"
complete -c cachefilesd -s f -r -F -d "the same"
complete -c cachefilesd -s n -d "stay in the foreground"
complete -c cachefilesd -s s -d "messages go to stderr"
complete -c cachefilesd -s d -d "more messages"
complete -c cachefilesd -s p -r -F -d "keep the process id there"
complete -c cachefilesd -s N -d "never cull"
complete -c cachefilesd -l no-wait -d "exit when the cache cannot be bound now"
complete -c cachefilesd -l ready-after -x -d "tell systemd that it may go on after so long"
complete -c cachefilesd -s t -d "check the configuration and the cache directory, and exit"
complete -c cachefilesd -l dump-config -d "print the configuration in force, and exit"
complete -c cachefilesd -s V -s v -l version -d "print the version, and exit"
complete -c cachefilesd -s h -l help -d "print the options, and exit"
