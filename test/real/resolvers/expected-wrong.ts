/**
 * Cases that neardns has wrong today, by name. The list may only shrink: a case that turns right is taken off, and none
 * is added without a word in its commit why it cannot be right yet.
 */
export const expectedWrong: readonly string[] = [
  'a first resolver that answers REFUSED to other names is still asked first for the next name',
  'a first resolver that answers SERVFAIL to other names is still asked first for the next name',
  'a name that is slow at the first resolver (1.5 s) is not denied by the second',
  'the same, after a hundred quick answers of the first',
  'a first resolver that becomes slow (400 ms) for all names keeps all names',
  'a TCP server that discards pipelined questions loses none',
  'an upstream that was gone for 3 s is asked when it is back',
  'where every reply over UDP has a wrong ID, TCP is tried',
  'where UDP is dropped on the way, TCP is tried',
  'an upstream that drops queries with OPT is asked without it',
  'an outside upstream sees no option that nobody has registered',
  'the same for a client with EDNS: an upstream that drops queries with OPT',
  'an upstream that drops queries with an option it does not know is asked without options',
  'a first resolver that is silent about AAAA keeps A',
  'an order holds within a stub zone as well',
  'of two upstreams one that is silent costs no answer',
  '12 names that take 1500 ms over serial connections hold up no other name',
  '32 names that take 1500 ms over serial connections hold up no other name',
  '64 names that take 1000 ms over serial connections hold up no other name',
  'a TCP server that resets every fourth question loses none',
]
