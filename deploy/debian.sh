#!/usr/bin/env bash
# For other scripts to read in deploy/rhvoice, deploy/kannel: Debian's packages unpacked into a folder, nothing installed.

# fetch_debian CACHE COMPONENTS WHOLE PACKAGE...: unpacks the packages of Debian 12 into CACHE/root, whole or not at all.
# WHOLE is a command that is given a folder and tells whether all is there. Needs `fail MESSAGE`.
fetch_debian() {
    local cache=$1 components=$2 whole=$3 root user apt deb
    shift 3
    command -v apt-get >/dev/null || fail "this system has no apt-get to fetch $*: install what they hold"
    mkdir -p "$cache"/{lists/partial,apt/archives/partial,debs}
    cache=$(cd "$cache" && pwd)
    root=$cache/root
    exec 9>"$cache/lock"
    # Somebody else may be fetching it at this moment.
    flock 9
    if "$whole" "$root"; then return; fi
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm $components" \
        >"$cache/sources.list"
    user=
    ((EUID != 0)) || user=root
    apt=(apt-get -qq -o "Dir::Etc::sourcelist=$cache/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$cache/lists"
        -o "Dir::Cache=$cache/apt" -o "APT::Sandbox::User=$user")
    "${apt[@]}" update >&2 || fail "the list of Debian's packages could not be fetched (no network?)"
    (cd "$cache/debs" && "${apt[@]}" download "$@" >&2) || fail "could not fetch $* from Debian"
    rm -rf "$root.new" && mkdir "$root.new"
    for deb in "$cache"/debs/*.deb; do
        dpkg -x "$deb" "$root.new" || fail "cannot unpack $deb: remove it and run this again"
    done
    "$whole" "$root.new" || fail "the packages in $cache/debs do not hold what they should: remove that folder and run this again"
    rm -rf "$root" "$cache/debs" && mv "$root.new" "$root"
}
