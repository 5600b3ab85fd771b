# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
#
# fish completion of gateway-agent(8)
complete -c gateway-agent -f
set -l commands serve demo check status token help version
complete -c gateway-agent -n "not __fish_seen_subcommand_from $commands" -a serve -d 'run the agent'
complete -c gateway-agent -n "not __fish_seen_subcommand_from $commands" -a demo -d 'show the agent at work'
complete -c gateway-agent -n "not __fish_seen_subcommand_from $commands" -a check -d 'try configuration and sources'
complete -c gateway-agent -n "not __fish_seen_subcommand_from $commands" -a status -d 'how the credentials are'
complete -c gateway-agent -n "not __fish_seen_subcommand_from $commands" -a token -d 'print a token'
complete -c gateway-agent -n "not __fish_seen_subcommand_from $commands" -a help -d 'explain a command'
complete -c gateway-agent -n "not __fish_seen_subcommand_from $commands" -a version -d 'print the version'
complete -c gateway-agent -n '__fish_seen_subcommand_from help' -a "$commands"
complete -c gateway-agent -n '__fish_seen_subcommand_from serve check status token' -l config -rF -d 'configuration file'
complete -c gateway-agent -n '__fish_seen_subcommand_from status token' -l socket -rF -d 'Unix socket of the agent'
complete -c gateway-agent -n '__fish_seen_subcommand_from status' -l json -d 'print JSON'
complete -c gateway-agent -n '__fish_seen_subcommand_from demo' -l once -d 'play the story through once'
complete -c gateway-agent -n '__fish_seen_subcommand_from demo' -l print-json -d 'print the addresses as JSON first'
complete -c gateway-agent -n '__fish_seen_subcommand_from check' -l offline -d 'try no source'
complete -c gateway-agent -n '__fish_seen_subcommand_from token' -l min-life -x -a '1m 5m 15m 1h' -d 'life it must have'
complete -c gateway-agent -n '__fish_seen_subcommand_from token' -l format -x -a 'plain json header' -d 'how it is printed'
complete -c gateway-agent -n "__fish_seen_subcommand_from $commands" -l help -d 'explain this command'
