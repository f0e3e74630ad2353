#!/usr/bin/env bash
# For other scripts to read in: packages, and a PostgreSQL of their own. They have a function `fatal TEXT`, and a folder
# $work for what is thrown away at the end, when they call stop_postgres.
postgres_pid=

as_root() {
    if ((EUID == 0)); then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else fatal "$* needs root: run it so once, or install sudo"
    fi
}

# install_packages NAME...: Debian packages; of no names none.
install_packages() {
    (($#)) || return 0
    command -v apt-get >/dev/null || fatal "missing: $* (Debian package names); install them and run this again"
    printf '\n== installing %s\n' "$*" >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2 || fatal "apt-get update failed (no network?)"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2 ||
        fatal "could not install $*"
}

postgres_bin() {
    local found
    found=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)
    [[ -n $found ]] || found=$(command -v initdb) || return 1
    dirname "$(readlink -f "$found")"
}

free_port() {
    local port
    for port in $(shuf -i 20000-32000 -n 50); do
        # Nothing answers there: it is free, as far as one can know.
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    return 1
}

# start_postgres [OPTION...]: a PostgreSQL of our own in the folder $work, with these options for the server, thrown away
# afterwards. Not for root, so it runs as an unprivileged user. Leaves its URL in PEREZVON_TEST_POSTGRES.
start_postgres() {
    local bin data=${work:?a folder of its own}/postgres port password user=()
    bin=$(postgres_bin) || { echo "PostgreSQL is not installed" >&2; return 1; }
    port=$(free_port) || return 1
    password=$(head -c 18 /dev/urandom | base64 | tr -d '+/=')
    mkdir "$data" && printf '%s\n' "$password" >"$work/postgres-password"
    if ((EUID == 0)); then
        local name=postgres
        id "$name" >/dev/null 2>&1 || name=nobody
        user=(setpriv "--reuid=$name" "--regid=$(id -g "$name")" --clear-groups)
        chmod 711 "$work"
        chown "$name" "$data" "$work/postgres-password"
    fi
    "${user[@]}" "$bin/initdb" -D "$data" -U perezvon --auth=scram-sha-256 --pwfile="$work/postgres-password" \
        --encoding=UTF8 --locale=C --no-sync >"$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; return 1; }
    # No sockets outside its folder.
    (cd "$data" && exec "${user[@]}" "$bin/postgres" -D "$data" -p "$port" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c max_connections=200 "$@") >"$work/postgres.log" 2>&1 &
    postgres_pid=$!
    for _ in $(seq 100); do
        grep -q 'ready to accept connections' "$work/postgres.log" && break
        kill -0 "$postgres_pid" 2>/dev/null || break
        sleep 0.1
    done
    grep -q 'ready to accept connections' "$work/postgres.log" || { cat "$work/postgres.log" >&2; return 1; }
    # The database "postgres" is there from the beginning.
    export PEREZVON_TEST_POSTGRES="postgres://perezvon:$password@127.0.0.1:$port/postgres"
}

stop_postgres() {
    [[ -n $postgres_pid ]] || return 0
    # An immediate stop: the cluster is thrown away.
    kill -QUIT "$postgres_pid" 2>/dev/null
    wait "$postgres_pid" 2>/dev/null || true
    postgres_pid=
}
