#!/bin/sh
# bill.sh TREE PACKAGE ARCH VERSION: prints the bill of materials of one package, as CycloneDX in
# JSON: its programs, and which modules are linked into each.
#
# The programs themselves say what is in them, so nothing is named that only tests or other programs
# need. The same programs give the same bytes: no time and no serial number.
set -eu

# As with nfpm in package.sh, it never enters go.mod. $CYCLONEDX names another program to use.
cyclonedx_module=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

tree=$1 package=$2 arch=$3 version=$4

bills=$(mktemp -d)
trap 'rm -rf "$bills"' EXIT

fail() { echo "bill: error: $*" >&2; exit 1; }

cyclonedx() {
	if [ -n "${CYCLONEDX-}" ]; then
		"$CYCLONEDX" "$@"
	else
		env -u GOARCH -u CC -u CGO_CFLAGS -u CGO_LDFLAGS go run "$cyclonedx_module" "$@"
	fi
}

# programs lists the tree's programs in Go.
programs() {
	find "$tree" -type f -perm /100 ! -name '*.so' | sort | while read -r program; do
		! go version -m "$program" 2>/dev/null | grep -q '^	path' || echo "$program"
	done
}

# one makes the bill of one program. What it says of the program that made it is left out: its
# checksum depends on the machine.
one() {
	cyclonedx bin -json -std -noserial -notimestamp -version "$version" \
		-output "$bills/${1##*/}.json" "$1"
}

# merge makes one bill of all: the package consists of programs, and each program depends on the
# modules in it and on Go's standard library.
merge() {
	jq --sort-keys --slurp --arg package "$package" --arg version "$version" --arg arch "$arch" '
		def program: .metadata as $m
			| ($m.properties | map({(.name): .value}) | add) as $p
			| $m.component + {
				name: $p["cdx:gomod:binary:name"],
				properties: [$m.properties[] | select(.name | startswith("cdx:gomod:build:"))],
				hashes: [{alg: "SHA-256", content: $p["cdx:gomod:binary:hash:SHA-256"]}]};
		def needs: .metadata.component."bom-ref" as $ref
			| [.components[] | select(.name == "std") | ."bom-ref"] as $std
			| .dependencies[] | if .ref == $ref then .dependsOn += $std else . end;
		(map(program)) as $programs
		| "pkg:generic/\($package)@\($version)?arch=\($arch)" as $ref
		| {
			"$schema": .[0]["$schema"], bomFormat: "CycloneDX",
			specVersion: .[0].specVersion, version: 1,
			metadata: {
				tools: [.[0].metadata.tools[] | {vendor, name, version}],
				component: {"bom-ref": $ref, type: "application", name: $package,
					version: $version, purl: $ref, licenses: [{license: {id: "MIT"}}]}},
			components: ($programs + (map(.components) | add | unique_by(."bom-ref"))),
			dependencies: ([{ref: $ref, dependsOn: ($programs | map(."bom-ref"))}]
				+ (map(needs) | unique_by(.ref)))
		}' "$bills"/*.json
}

found=$(programs)
[ -n "$found" ] || fail "there is no Go program in $tree"
for program in $found; do one "$program"; done
merge
