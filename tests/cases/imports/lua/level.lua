local names = { ERROR = 'high', WARN = "mid" }

function level(tag, timestamp, record)
	local word = string.match(record["log"] or "", "^(%u+)")
	if word == nil then
		return 0, timestamp, record
	end
	record["level"] = names[word]
		or "low"
	record["quoted"] = "a \"b\"  c" .. '\\'
	return 2, timestamp, record
end
