#!/bin/sh
# Runs inside the image once its packages are there: precompile, build the font list, drop what no run reads
# (documentation, compilers that scipy's packaging drags in, set-uid bits).
set -eu

# The root is read-only at run time: bytecode and the font list must be made now.
export MPLCONFIGDIR=/opt/loom/matplotlib MPLBACKEND=Agg HOME=/tmp
mkdir -p "$MPLCONFIGDIR"
python3 -c 'import numpy, pandas, matplotlib.pyplot as p; p.plot([1]); p.savefig("/tmp/warm.png")'
chmod -R a+rX /opt/loom
# matplotlib wants to write where its font list is: each container gets a copy in its scratch space.
cat >>/etc/python3.11/sitecustomize.py <<'PYTHON'
import os
try:
    if 'MPLCONFIGDIR' not in os.environ:
        scratch = ('/tmp' if os.access('/tmp', os.W_OK) else '/workspace') + '/.matplotlib'
        if not os.path.isdir(scratch):
            os.mkdir(scratch)
            with open('/opt/loom/matplotlib/fontlist-v330.json', 'rb') as list_, open(scratch + '/fontlist-v330.json', 'wb') as copy:
                copy.write(list_.read())
        os.environ['MPLCONFIGDIR'] = scratch
except OSError:
    pass
PYTHON

rm -rf /usr/share/doc /usr/share/man /usr/share/info /usr/share/lintian /usr/share/locale /usr/share/i18n \
  /usr/share/icons /usr/share/javascript /usr/share/matplotlib/sample_data /usr/share/perl5/* \
  /usr/include /usr/lib/gcc /usr/libexec/gcc /usr/share/unicode /usr/lib/python3/dist-packages/pythran \
  /var/lib/apt/lists /var/cache/apt /var/cache/debconf/*-old /var/log/* /tmp/* /root/.cache
find /usr/lib/python3* -depth -type d \( -name tests -o -name test \) -exec rm -rf {} +
find /usr/lib -name '*.a' -delete
rm -f /usr/bin/*-linux-gnu-* /usr/bin/gcc* /usr/bin/g++* /usr/bin/cpp*
find / -xdev -perm /6000 -type f -exec chmod a-s {} +

mkdir -p /workspace
chmod 1777 /tmp /workspace
