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

# build DIR COMPILER [MESON OPTION...]: sets the build folder up once, then builds what changed. Its log is DIR.log.
build() {
        local dir=$1 compiler=$2
        shift 2
        mkdir -p "$(dirname "$dir")"
        : >"$dir.log"
        if [[ ! -f $dir/build.ninja ]]; then
                rm -rf "$dir"
                CC=$compiler quietly "$dir.log" meson setup --fatal-meson-warnings "$@" "$dir" || return
        fi
        quietly "$dir.log" ninja -C "$dir" -j "$(nproc)"
}
