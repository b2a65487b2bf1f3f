/** The versions of everything that the tests on a real Kubernetes are run with. Owns nothing but these names. */

/** API server, kubelet and the newest kube-proxy: the newest release when this was written. */
export const kubernetesVersion = '1.37.2'

/** Older kube-proxies that clusters still run, each the newest patch of its release. */
export const olderKubeProxyVersions = ['1.34.4', '1.35.4', '1.36.3'] as const

export const kubeProxyVersions: readonly string[] = [...olderKubeProxyVersions, kubernetesVersion]

/** Debian releases whose nft and iptables stand for what nodes and images bring, oldest first. */
export const debianReleases = ['bullseye', 'bookworm', 'trixie', 'sid'] as const
export type DebianRelease = (typeof debianReleases)[number]

/** The release that the image of neardns is made from (see Dockerfile). */
export const imageRelease: DebianRelease = 'trixie'
