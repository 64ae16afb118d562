SELECT current_setting('server_version_num')::int/100 as version
=> 1
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'
=> 0
SELECT schema_name AS "name"
    FROM information_schema.schemata
    WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast')
    ORDER BY schema_name
=> 1
SELECT quote_ident(table_name) AS "table"
      FROM information_schema.tables
      WHERE quote_ident(table_schema) = 'public'
      ORDER BY 1
=> VIEWS
SELECT
    CASE WHEN 
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          )
      THEN quote_ident(table_name)
      ELSE quote_ident(table_schema) || '.' || quote_ident(table_name)
    END AS "table"
    FROM information_schema.tables
    WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog')
    ORDER BY CASE WHEN 
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          ) THEN 0 ELSE 1 END, 1
=> VIEWS
SELECT quote_ident(column_name) AS "column", data_type AS "type"
    FROM information_schema.columns
    WHERE
      CASE WHEN array_length(parse_ident('tier'),1) = 2
        THEN quote_ident(table_schema) = (parse_ident('tier'))[1]
          AND quote_ident(table_name) = (parse_ident('tier'))[2]
        ELSE quote_ident(table_name) = 'tier'
          AND 
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          )
      END
=> 3
SELECT quote_ident(column_name) AS "column", data_type AS "type"
    FROM information_schema.columns
    WHERE
      CASE WHEN array_length(parse_ident('public.tier'),1) = 2
        THEN quote_ident(table_schema) = (parse_ident('public.tier'))[1]
          AND quote_ident(table_name) = (parse_ident('public.tier'))[2]
        ELSE quote_ident(table_name) = 'public.tier'
          AND 
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          )
      END
=> 3
SELECT at AS "time", rule AS metric, sum(points) AS points FROM points_entry WHERE at BETWEEN '2009-01-01T00:00:00Z' AND '2009-12-31T00:00:00Z' GROUP BY 1, 2 ORDER BY 1 LIMIT 50000
=> 0
SELECT floor(extract(epoch from at)/86400)*86400 AS "time", count(*) AS entries FROM points_entry WHERE at >= '2009-01-01' GROUP BY 1 ORDER BY 1
=> 0
SELECT day AS "time", channel_id AS metric, contacts FROM channel_workload WHERE day BETWEEN DATE '2009-01-01' AND DATE '2009-12-31' ORDER BY 1
=> 0
