// Follows the pods of a node and prints, each time that it changes, who has the addresses: `name name -`. URL, folder of the account, node, addresses.
import { ApiClient } from '../../../src/daemon/pods/api-client.ts'
import { PodWatch } from '../../../src/daemon/pods/pod-watch.ts'

const [url, accountFolder, nodeName, ...addresses] = process.argv.slice(2)
const watch = new PodWatch({
  api: new ApiClient({ url: new URL(url), accountFolder }),
  nodeName,
  onTrouble: (why) => console.log(`trouble: ${why}`),
  onRead: (pods) => console.log(`read ${pods}`),
})
let last = ''
setInterval(() => {
  const now = addresses.map((one) => watch.names.nameAt(one, Date.now()) ?? '-').join(' ')
  if (now !== last) console.log(now)
  last = now
}, 20)
await watch.run()
