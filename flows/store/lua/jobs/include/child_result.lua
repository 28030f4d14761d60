-- Makes what a parent sees of a child that ended: JSON, from ids, words and texts that are JSON already.
--@ exports: done_result failed_result word_result failure

--@ lazy

-- `children` are the results of the child's own children, where it had any.
local function done_result(job_id, result, children)
  return '{"id":"' .. job_id .. '","status":"done","result":' .. result
    .. (children and ',"children":' .. children or '') .. '}'
end

local function failed_result(job_id, error_json)
  return '{"id":"' .. job_id .. '","status":"failed","error":' .. error_json .. '}'
end

local function word_result(job_id, word) return '{"id":"' .. job_id .. '","status":"' .. word .. '"}' end

-- Returns the error of a failure that flows itself finds; `message` must need no escaping.
local function failure(kind, message, job_queue, attempt)
  return '{"type":"' .. kind .. '","message":"' .. message .. '","traceback":"","queue":"' .. job_queue
    .. '","attempt":' .. attempt .. '}'
end
