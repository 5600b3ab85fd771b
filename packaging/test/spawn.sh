#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: 2026 The gateway-agent authors
#
# spawn.sh FOLDER NAME ROOT - become the container NAME: ROOT below, FOLDER/upper above. Started by machine.py inside a
# mount namespace of its own; what is mounted here is seen by nobody else, and gone with the machine.
set -euo pipefail
folder=$1 name=$2 root=$3

# The machine's systemd wants the one hierarchy of cgroup2, whatever this host has; and /run is where nspawn leaves
# files that nobody would clear away.
umount --recursive --lazy /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/machine-$name"
echo $$ >"/sys/fs/cgroup/machine-$name/cgroup.procs"
mount -t tmpfs -o mode=755 tmpfs /run
mount -t overlay overlay -o "lowerdir=$root,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"

# No machined is there to register with. The filter lets systemd load its programs for IPAddressDeny= and the like.
exec systemd-nspawn --boot --directory="$folder/root" --machine="$name" --register=no --keep-unit \
    --link-journal=no --private-network --kill-signal=SIGRTMIN+3 --capability=CAP_NET_ADMIN --system-call-filter=bpf
