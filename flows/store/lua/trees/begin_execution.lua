-- Begins executions, each once; who works on them is told by others. Answers of each a word, the execution that is under
-- way, for `conflict` a sentence that names what stands in the place of a key, and the instance's revision.
--@ args: ns now
--@ rest: the executions, as `take_begin` reads them
--@ returns: answers:list<[word:word about:text revision:int]>
--@ words: begun | same | busy | moved | gone | tree | conflict
--@ include: begin_one

local answers = {}
while at <= #rest do
  local one = take_begin()
  answers[#answers + 1] = cannot_begin(one) or begin_one(one)
end
return answers
