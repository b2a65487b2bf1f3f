/** Loaded before the daemon by bench:gc-stress: a whole collection every 50 ms, for memory that only the kernel still knows of. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
setInterval(() => collect(), 50).unref()
