-- What a parent sees of a child that ended: JSON made only of ids, words and texts that are JSON already.
--@ exports: done_fragment failed_fragment word_fragment failure

-- `children` are the results of the child's own children, where it had any.
local function done_fragment(id, result, children)
  return '{"id":"' .. id .. '","status":"done","result":' .. result
    .. (children and ',"children":' .. children or '') .. '}'
end

local function failed_fragment(id, failure)
  return '{"id":"' .. id .. '","status":"failed","error":' .. failure .. '}'
end

local function word_fragment(id, word) return '{"id":"' .. id .. '","status":"' .. word .. '"}' end

-- A failure that the kernel itself finds; `message` must need no escaping.
local function failure(kind, message, queue, attempt)
  return '{"type":"' .. kind .. '","message":"' .. message .. '","traceback":"","queue":"' .. queue
    .. '","attempt":' .. attempt .. '}'
end
