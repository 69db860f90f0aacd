#!/bin/sh
# Runs a command beside a pcscd of its own with a card in its first reader, seen by nobody else.
#
#   with-pcscd.sh FOLDER VCARD COMMAND...
#
# FOLDER takes the configuration and the log, VCARD is vcard.c compiled. Needs root: the socket of pcscd cannot be moved,
# so it gets a mount and a network of its own.
set -eu

if [ "${WITH_PCSCD_INSIDE:-}" != yes ]; then
    mkdir -p /run/pcscd
    WITH_PCSCD_INSIDE=yes exec unshare --mount --net --propagation private "$0" "$@"
fi

folder=$1
vcard=$2
shift 2
mount -t tmpfs none /run/pcscd
ip link set lo up
driver=$(find /usr/lib/pcsc/drivers/serial -name 'libifdvpcd.so*' | head -n 1)
mkdir "$folder/reader.conf.d"
cat >"$folder/reader.conf.d/vpcd" <<CONF
FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:0x8C7B
LIBPATH $driver
CHANNELID 0x8C7B
CONF
pcscd --foreground --config "$folder/reader.conf.d" >"$folder/pcscd.log" 2>&1 &
pcscd=$!
"$vcard" 35963 &
card=$!
# Until the card is there; pcscd looks every 400 ms.
tries=0
until opensc-tool --list-readers 2>/dev/null | grep -q '^0 *Yes'; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || break
    sleep 0.1
done
status=0
"$@" || status=$?
kill "$card" "$pcscd"
wait
exit "$status"
