# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
# shellcheck shell=bash
#
# bash completion of gateway-agent(8)
_gateway_agent() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
    local commands='serve demo check status token help version'
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        words="$commands --help --version"
    else
        case $before in
        --config | --socket)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            return
            ;;
        --format) words='plain json header' ;;
        --min-life) words='1m 5m 15m 1h' ;;
        *)
            case ${COMP_WORDS[1]} in
            serve) words='--config --help' ;;
            demo) words='--once --print-json --help' ;;
            check) words='--config --offline --help' ;;
            status) words='--json --socket --config --help' ;;
            token) words='--min-life --format --socket --config --help' ;;
            help) words=$commands ;;
            *) words='' ;;
            esac
            ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
} && complete -F _gateway_agent gateway-agent
