#!/bin/bash
# Fills DIR with the sandbox's root file system by debootstrap (root, Linux). The mirror is the machine's own.
#   rootfs.sh DIR
# Prints one line "step N/4 what" before each step.
set -euo pipefail
dir=$1
here=$(cd "$(dirname "$0")" && pwd)
suite=bookworm
packages=$(paste -sd' ' "$here/packages.txt")

mirror=${LOOM_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)|$(RELEASE)' | awk -F'|' '$2 !~ /security|updates|backports/ && /debian/ { print $1; exit }')}
[ -n "$mirror" ] || { echo 'no Debian mirror in the apt settings: set LOOM_DEBIAN_MIRROR' >&2; exit 3; }

echo 'step 1/4 base system'
debootstrap --variant=minbase "$suite" "$dir" "$mirror" >"$dir.log" 2>&1 || { tail -n 20 "$dir.log" >&2; exit 1; }

echo 'step 2/4 packages'
trap 'umount "$dir/proc" 2>/dev/null || true' EXIT
mount -t proc proc "$dir/proc"
printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
chmod +x "$dir/usr/sbin/policy-rc.d"
printf 'force-unsafe-io\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/locale/*\n' \
  >"$dir/etc/dpkg/dpkg.cfg.d/loom"
cp /etc/resolv.conf "$dir/etc/resolv.conf" 2>/dev/null || true
# apt of the machine downloads (its proxy and credentials stay outside the image); the chroot installs from the archive folder.
apt=(apt-get -o "Dir=$dir" -o "Dir::State::status=$dir/var/lib/dpkg/status" -o Dir::Bin::methods=/usr/lib/apt/methods
  -o Dir::Etc::trustedparts=/usr/share/keyrings -o APT::Sandbox::User=root -o APT::Install-Recommends=0)
if ! chroot "$dir" apt-get update -qq >>"$dir.log" 2>&1; then
  "${apt[@]}" update -qq >>"$dir.log" 2>&1
  # shellcheck disable=SC2086
  "${apt[@]}" install -y --download-only $packages >>"$dir.log" 2>&1
fi
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive chroot "$dir" apt-get install -y -qq --no-install-recommends $packages >>"$dir.log" 2>&1 ||
  { tail -n 20 "$dir.log" >&2; exit 1; }

echo 'step 3/4 trim'
cp "$here/finish.sh" "$dir/opt/finish.sh"
chroot "$dir" sh /opt/finish.sh
rm -f "$dir/opt/finish.sh" "$dir/usr/sbin/policy-rc.d" "$dir/etc/dpkg/dpkg.cfg.d/loom" "$dir/etc/resolv.conf" "$dir.log"
umount "$dir/proc"

echo 'step 4/4 ready'
