-- Writes many fields of a hash that may stay small. Servers keep up to 512 short fields as a list and search it from its
-- head, for each field of each command. A field that is longer than a list may have (64 bytes; 128 with the bundled
-- server) makes a table of it, which it stays when that is gone.
--@ exports: set_fields

local LONG = string.rep('-', 129)
-- Of fewer fields the search takes no longer than that.
local FEW = 20

-- Writes names and values by turns.
local function set_fields(key, fields)
  if #fields <= FEW then return redis.call('HSET', key, unpack(fields)) end
  redis.call('HSET', key, LONG, '', unpack(fields))
  redis.call('HDEL', key, LONG)
end
