#!/bin/sh
# One seed per operation: a frame made of a request in protobuf text format.
# Usage: make-seeds.sh PROTO_DIR PROTO OUT_DIR
set -eu
proto_dir=$1 proto=$2 out=$3
mkdir -p "$out"

seed() {
	body=$out/.body
	printf '%s' "$2" | protoc-c -I"$proto_dir" --encode=skein.v1.HelperRequest "$proto" >"$body"
	size=$(wc -c <"$body")
	{
		printf "\\$(printf %03o $((size % 256)))\\$(printf %03o $((size / 256)))\\000\\000"
		cat "$body"
	} >"$out/$1"
	rm "$body"
}

seed hello 'id: 1 hello { protocol_version: 1 }'
seed probe 'id: 1 probe {}'
seed load 'id: 1 load { object: "\177ELF" name: "a" programs: "p" programs: "q" reuse { name: ".bss" map: 1 } }'
seed make-dispatcher 'id: 1 make_dispatcher { program: 1 }'
seed attach-xdp 'id: 1 attach { program: 1 xdp { device: "a" netns: "/run/netns/a" mode: XDP_MODE_NATIVE } }'
seed attach-tc 'id: 1 attach { program: 1 tc { device: "a" direction: TC_DIRECTION_EGRESS } }'
seed attach-cgroup 'id: 1 attach { program: 1 cgroup { path: "/sys/fs/cgroup" } }'
seed attach-raw-tp 'id: 1 attach { program: 1 raw_tracepoint { name: "sys_enter" } }'
seed attach-tp-btf 'id: 1 attach { program: 1 btf_tracepoint {} }'
seed attach-tp 'id: 1 attach { program: 1 tracepoint { category: "sched" name: "sched_switch" } }'
seed set-slot 'id: 1 set_slot { slot: 1 program: 2 }'
seed read-slot 'id: 1 read_slot { slot: 1 }'
seed write-variables 'id: 1 write_variables { variables { map: 1 offset: 4 value: -1 } }'
seed read-variables 'id: 1 read_variables { variables { map: 1 offset: 4 } variables { map: 1 } }'
seed test-run 'id: 1 test_run { program: 1 data_in: "00000000000000" repeat: 2 }'
seed pin 'id: 1 pin { handle: 1 path: "a/b" }'
seed adopt 'id: 1 adopt { path: "a/b/c/d/e/f/g/h" }'
seed unpin 'id: 1 unpin { path: "a" }'
seed list-pins 'id: 1 list_pins {}'
seed lock-pins 'id: 1 lock_pins {}'
seed detach 'id: 1 detach { link: 1 }'
seed close 'id: 1 close { handle: 1 }'
seed inspect 'id: 1 inspect { handle: 1 }'
seed read-code 'id: 1 read_code { program: 1 }'
seed map-code 'id: 1 map_code { code: "\017\037D\000\000\303\000\000\000\000\000\000\000\000" patches { offset: 6 helper: 7 } patches { offset: 1 code_offset: 5 } }'
seed poke-code 'id: 1 poke_code { pokes { code: 1 offset: 8 expected: 4464399 replacement: 745 } protocol: POKE_PROTOCOL_INT3 }'
seed read-bytes 'id: 1 read_bytes { code: 1 offset: 8 length: 5 }'
seed run-code 'id: 1 run_program { code: 1 memory: "ab" repeat: 2 time_limit_ms: 10 }'
seed run-interpreted 'id: 1 run_program { interpreted { instructions: "\267\000\000\000\005\000\000\000\225\000\000\000\000\000\000\000" sites { start: 0 instruction: 1 target: 1 taken: true } } time_limit_ms: 10 }'
seed make-set 'id: 1 make_set { name: "sites" values: 1 values: 18446744073709551615 }'
seed read-counters 'id: 1 read_counters { map: 1 counters { index: 3 offset: 8 size: 8 } counters { index: 3 offset: 4 size: 4 } }'
