#!/usr/bin/env bash
# Installs what is missing of the system's tools: tools/need.sh chromium postgresql java spamassassin npm
set -euo pipefail

has() {
  case $1 in
    postgresql) command -v initdb || ls /usr/lib/postgresql/*/bin/initdb ;;
    dovecot) command -v dovecot || ls /usr/sbin/dovecot ;;
    postfix) command -v smtp-sink || ls /usr/sbin/smtp-sink ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

packages() {
  case $1 in
    java) echo default-jre-headless ;;
    dovecot) echo dovecot-imapd ;;
    npm) echo nodejs npm ;;
    *) echo "$1" ;;
  esac
}

missing=()
for tool in "$@"; do
  has "$tool" || read -ra names <<<"$(packages "$tool")"
  has "$tool" || missing+=("${names[@]}")
done
((${#missing[@]})) || exit 0
if ! command -v apt-get >/dev/null; then
  echo "missing: ${missing[*]}; install them with this system's package manager" >&2
  exit 1
fi
sudo=$([ "$(id -u)" = 0 ] || echo sudo)
$sudo apt-get update -qq
# Postfix is here for its test programs: no mail service is set up.
if [[ " ${missing[*]} " == *" postfix "* ]]; then
  echo "postfix postfix/main_mailer_type select No configuration" | $sudo debconf-set-selections
fi
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
