#!/bin/sh
# Keeps the promises of the official redis image: options alone mean redis-server, and it answers beyond loopback.
set -eu
case ${1-redis-server} in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "$1" = redis-server ]; then
  shift
  case ${1-} in
    *.conf | -) file=$1; shift; set -- "$file" --protected-mode no "$@" ;;
    *) set -- --protected-mode no "$@" ;;
  esac
  set -- redis-server "$@"
fi
exec "$@"
