#!/usr/bin/env bash
# System packages that the project's Python and npm locks can't bring. Usage: system.sh venv|run|test
# Installs what is missing with apt-get when it may (root or password-less sudo), else says what to install.
set -u
need=()
has() { command -v "$1" >/dev/null 2>&1; }
case "${1:-run}" in
  venv)
    need+=(python3-venv) ;;
  run)  # python-magic reads with libmagic; the halls speak with espeak-ng; sheets are set by Pango
    ldconfig -p | grep -q 'libmagic.so.1' || need+=(libmagic1)
    ldconfig -p | grep -q 'libpangoft2-1.0.so.0' || need+=(libpango-1.0-0 libpangoft2-1.0-0)
    has espeak-ng || need+=(espeak-ng) ;;
  test)
    has chromium || need+=(chromium)
    has ffmpeg || need+=(ffmpeg)
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need+=(postgresql)
    has turnserver || need+=(coturn)
    has pdftoppm || need+=(poppler-utils)
    has bearerbox || need+=(kannel)
    [ -x /usr/lib/kannel/test/fakesmsc ] || need+=(kannel-extras)
    has runuser || need+=(util-linux) ;;
esac
[ "${#need[@]}" = 0 ] && exit 0
root=()
if [ "$(id -u)" != 0 ]; then
  if sudo -n true 2>/dev/null; then root=(sudo -n); else
    echo "Missing on this machine: ${need[*]}. Install them with: sudo apt-get install ${need[*]}" >&2
    [ "$1" = run ] && exit 0
    exit 1
  fi
fi
echo "Installing ${need[*]} …"
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -qq && "${root[@]}" apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
