#!/usr/bin/env bash
# Brings a fresh Debian or Ubuntu machine with Node >= 20 to where Skein runs and its tests pass.
# Installs only what is missing. Writes to stderr alone: stdout belongs to the command that follows.
# Without root, or where the kernel refuses BPF: to where the userspace engine runs. With the argument "kernel",
# that is not enough.
set -euo pipefail
cd "$(dirname "$0")/.."
exec 1>&2

root=$PWD
arch=$(uname -m)
# Whether the kernel engine can run; the userspace engine needs less.
has_kernel=true

main() {
  require_machine "${1-}"
  open_log
  install_debian_packages
  install_npm_packages
  if $has_kernel; then
    mount_if_missing bpf /sys/fs/bpf bpf_fs
    mount_if_missing tracefs /sys/kernel/tracing tracefs
  fi
  compile
}

# What an earlier run as root left may belong to root.
open_log() {
  logs=$root/build
  if ! { mkdir -p "$logs" && : >"$logs/setup.log" && : >"$logs/setup-step.log"; } 2>/dev/null; then
    logs=${XDG_CACHE_HOME:-$HOME/.cache}/skein
    mkdir -p "$logs"
    : >"$logs/setup.log"
  fi
  log=$logs/setup.log
}

# --- what no script can install ----------------------------------------------------------------------

require_machine() {
  local problems=()
  if [ "$(uname -s)" != Linux ]; then
    stop "Skein needs Linux, and this is $(uname -s). Use a Linux machine or virtual machine."
  fi
  case $arch in
    x86_64 | aarch64) ;;
    *) stop "the processor is $arch: only x86_64 and aarch64 are supported" ;;
  esac
  if [ "$(id -u)" -ne 0 ]; then
    # shellcheck disable=SC2016 # the user's shell is to expand it
    problems+=('not root: loading BPF and making network namespaces need it; run it with sudo env "PATH=$PATH"')
  elif ! has_bpf_capabilities; then
    problems+=('root without BPF capabilities: start the container with --cap-add SYS_ADMIN --cap-add NET_ADMIN')
  fi
  kernel_problems
  if [ ${#problems[@]} -eq 0 ]; then return; fi
  has_kernel=false
  if [ "$1" = kernel ]; then
    stop "this needs the kernel engine, which cannot run here yet:" "${problems[@]/#/  - }"
  elif [ "$arch" != x86_64 ]; then
    stop "this machine cannot run Skein yet:" "${problems[@]/#/  - }" \
      "  - the userspace engine, which needs none of that, is for x86_64"
  fi
}

kernel_problems() {
  local version jit=/proc/sys/net/core/bpf_jit_enable
  version=$(uname -r)
  if ! printf '5.10\n%s\n' "$version" | sort -CV; then
    problems+=("kernel $version is too old: 5.10 or newer is needed")
  fi
  if ! grep -qw bpf /proc/filesystems; then
    problems+=('the kernel has no BPF system call: boot one built with CONFIG_BPF_SYSCALL=y')
  elif [ ! -e "$jit" ] && ! has_jit_code; then
    problems+=('the kernel has no BPF JIT: boot one built with CONFIG_BPF_JIT=y')
  elif [ -r "$jit" ] && [ "$(cat "$jit")" = 0 ]; then
    problems+=('the BPF JIT is off: run sysctl -w net.core.bpf_jit_enable=1')
  fi
  if [ ! -e /sys/kernel/btf/vmlinux ]; then
    problems+=('the kernel has no BTF: boot one built with CONFIG_DEBUG_INFO_BTF=y')
  fi
}

# The switch of the JIT is in the machine's own network namespace alone; a container has another.
has_jit_code() {
  [ ! -r /proc/kallsyms ] || grep -q bpf_jit_binary_ /proc/kallsyms
}

# CAP_SYS_ADMIN (21) implies CAP_BPF (39) and CAP_PERFMON (38); CAP_NET_ADMIN (12) is always needed.
has_bpf_capabilities() {
  local caps bpf=$((1 << 39 | 1 << 38)) admin=$((1 << 21)) net=$((1 << 12))
  caps=$((16#$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)))
  ((caps & net)) && (((caps & admin) || (caps & bpf) == bpf))
}

# --- Debian packages ---------------------------------------------------------------------------------

install_debian_packages() {
  # Tools of administrators, which a shell made by su does not find.
  PATH=$PATH:/usr/sbin:/sbin
  local missing=()
  command_of clang clang
  command_of llvm-strip llvm
  command_of gcc gcc
  command_of make make
  command_of pkg-config pkg-config
  command_of protoc-c protobuf-c-compiler
  command_of nats-server nats-server
  header_of stdio.h libc6-dev
  header_of bpf/libbpf.h libbpf-dev
  header_of protobuf-c/protobuf-c.h libprotobuf-c-dev
  header_of seccomp.h libseccomp-dev
  if $has_kernel; then
    command_of bpftool bpftool
    command_of promtool prometheus
    command_of ip iproute2
    command_of ping iputils-ping
    command_of setcap libcap2-bin
    command_of xdp-loader xdp-tools
    command_of shellcheck shellcheck
  fi
  if [ ${#missing[@]} -gt 0 ]; then apt_install "${missing[@]}"; fi

  # Named after clang's major version, which is known only now.
  if $has_kernel && [ ! -e "$(clang -print-file-name="libclang_rt.fuzzer-$arch.a")" ]; then
    apt_install "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
  fi
}

# command_of COMMAND PACKAGE: notes the package as missing unless the command is there.
command_of() {
  if ! command -v "$1" >/dev/null; then missing+=("$2"); fi
}

# header_of HEADER PACKAGE: the same for a C header.
header_of() {
  if ! compgen -G "/usr/include/$1" >/dev/null && ! compgen -G "/usr/include/*-linux-gnu/$1" >/dev/null; then
    missing+=("$2")
  fi
}

apt_install() {
  if ! command -v apt-get >/dev/null; then
    stop "apt-get is missing, so install the equivalent of these Debian packages yourself, then run again:" \
      "  $*"
  fi
  if [ "$(id -u)" -ne 0 ]; then ask_root_for "$@"; fi
  export DEBIAN_FRONTEND=noninteractive
  step 'reading the Debian package lists' apt-get -q update
  local packages=("$@")
  if [ -z "$(apt-cache madison bpftool)" ]; then
    # Ubuntu before 25.04 has bpftool only beside each kernel's other tools.
    packages=("${packages[@]/#bpftool/linux-tools-$(uname -r)}")
  fi
  # Tests start servers of their own; those of the packages must not come with the next boot.
  local services=() package
  for package in "${packages[@]}"; do
    case $package in nats-server | prometheus) services+=("$package.service") ;; esac
  done
  forbid_service_start
  step "installing Debian packages: ${packages[*]}" \
    apt-get -q install -y --no-install-recommends "${packages[@]}"
  if [ -d /run/systemd/system ] && [ ${#services[@]} -gt 0 ]; then
    step "disabling the services just installed: ${services[*]}" systemctl disable "${services[@]}"
  fi
}

# Everything else is done without root.
ask_root_for() {
  local service=''
  # The package starts a server of its own, open to the network; Skein's is another, on loopback.
  if [[ " $* " == *' nats-server '* ]] && [ -d /run/systemd/system ]; then
    service=' && systemctl disable --now nats-server'
  fi
  stop "these Debian packages are missing. Have root install them, then run again:" \
    "  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends $*$service'"
}

# nats-server and prometheus start a service when installed; policy-rc.d is Debian's way to say no.
forbid_service_start() {
  local policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then return; fi
  # shellcheck disable=SC2064 # the path, as it is now
  trap "rm -f $policy" EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}

# --- npm packages, Node 24 among them ----------------------------------------------------------------

install_npm_packages() {
  local stamp=node_modules/.skein-setup lock
  lock=$(sha256sum package-lock.json)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$lock" ]; then
    # Where it cannot be reached, npm install tries each optional package for a minute before it says so.
    step 'looking for Node 24 in the npm registry' npm_alone view --fetch-retries=1 --fetch-retry-mintimeout=1000 \
      "$(node_package)" version
    # Not npm ci: it refuses a lock file without the binaries of other platforms, which a mirror may not have.
    step 'installing npm packages' npm_alone install --no-save --include=dev --include=optional --no-audit --no-fund
    printf '%s\n' "$lock" >"$stamp"
  fi
  if [ ! -x node_modules/.bin/node ]; then
    stop "npm left out its optional package with Node 24: remove omit=optional from the npm configuration," \
      "  then remove node_modules and run again."
  fi
}

# The calling npm's log level would silence errors, and its node may be the one that is replaced.
npm_alone() {
  env -u npm_config_loglevel "PATH=${PATH//"$root/node_modules/.bin:"/}" npm "$@"
}

# NAME@VERSION of the package with Node 24 for this processor.
node_package() {
  node -p 'const name = `node-linux-${process.arch}`; `${name}@${require("./package.json").optionalDependencies[name]}`'
}

# --- the rest ----------------------------------------------------------------------------------------

# mount_if_missing TYPE DIRECTORY NAME: NAME is what stat(1) calls the file system.
mount_if_missing() {
  if [ "$(stat -f -c %T "$2")" != "$3" ]; then
    step "mounting $1 at $2" mount -t "$1" "$1" "$2"
  fi
}

compile() {
  local makefile directory
  for makefile in agent/*/Makefile examples/Makefile lab/*/Makefile test/*/*/Makefile; do
    if [ ! -e "$makefile" ]; then continue; fi
    directory=$(dirname "$makefile")
    if ! make -q -C "$directory" >/dev/null 2>&1; then
      step "compiling $directory" make -C "$directory" -j "$(nproc)"
    fi
  done
}

# step WHAT COMMAND...: says what it does; the command's output is shown only when it fails.
step() {
  local what=$1 status=0 output=$logs/setup-step.log
  shift
  printf 'setup: %s\n' "$what"
  "$@" </dev/null >"$output" 2>&1 || status=$?
  { printf '\n# %s\n' "$*" && cat "$output"; } >>"$log"
  if [ "$status" -ne 0 ]; then
    stop "$what failed with exit status $status; all of it is in $log:" "$(shortened "$output")"
  fi
}

# Some programs name the error first and some last.
shortened() {
  if [ "$(wc -l <"$1")" -le 40 ]; then cat "$1"; else
    head -n 15 "$1"
    echo '[...]'
    tail -n 25 "$1"
  fi
}

stop() {
  printf 'setup: %s\n' "$1"
  shift
  if [ $# -gt 0 ]; then printf '%s\n' "$@"; fi
  exit 1
}

main "$@"
