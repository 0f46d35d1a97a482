# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the tools share. Sourced with the checkout as working directory.

# quietly LOG COMMAND...: runs it with all its output in LOG; shows the end of LOG only where it fails.
quietly() {
        local log=$1
        shift
        "$@" >>"$log" 2>&1 && return
        tail -n 60 "$log" >&2
        echo "failed: $*" >&2
        return 1
}

# build DIR COMPILER [MESON OPTION...]: sets the build folder up once, then builds what changed, or of that what $only
# needs and no more. Its log is DIR.log.
build() {
        local dir=$1 compiler=$2
        shift 2
        mkdir -p "$(dirname "$dir")"
        : >"$dir.log"
        if [[ ! -f $dir/build.ninja ]]; then
                rm -rf "$dir"
                CC=$compiler quietly "$dir.log" meson setup --fatal-meson-warnings "$@" "$dir" || return
        fi
        quietly "$dir.log" ninja -C "$dir" -j "$(nproc)" ${only:+"$only"}
}

# ---- processes that outlive the script which started them ----

# birth PID: when it started, in ticks since boot, which tells it from a later one so numbered. Nothing once it ended.
birth() {
        local stat
        { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
        read -ra stat <<<"${stat##*) }"
        [[ ${stat[0]} == Z ]] || echo "${stat[19]}"
}

alive() {
        [[ -n $2 && $(birth "$1") == "$2" ]]
}

# ---- a Debian of its own ----

# Of each archive that the machine's own apt knows: component, release, address.
archives() {
        # shellcheck disable=SC2016
        apt-get indextargets --format '$(COMPONENT) $(RELEASE) $(REPO_URI)' 'Created-By: Packages'
}

# The archive that it takes Debian from.
mirror() {
        [[ -n $(archives) ]] || apt-get update >/dev/null   # a machine whose lists were thrown away
        archives | awk '$1 == "main" && $2 !~ /[-\/]/ { print $3; exit }'
}

# debian SUITE TARGET [MMDEBSTRAP OPTION...]: a small one, got the way the machine gets its own; TARGET may be a .tar.
debian() {
        local suite=$1 target=$2 way status=0
        shift 2
        way=$(mktemp)
        apt-config dump | grep -E '^Acquire::(http|https)::' >"$way" || true
        mmdebstrap --mode=root --variant=minbase --aptopt="$way" --dpkgopt='path-exclude=/usr/share/doc/*' \
                --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
                "$@" "$suite" "$target" "$(mirror)" || status=$?
        rm "$way"
        return "$status"
}
