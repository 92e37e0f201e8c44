<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology|Fields">
  <renderer-v2 type="RuleRenderer" symbollevels="0">
    <rules key="wijkatlas">
      {% for rule in rules %}
      <rule key="rule-{{ loop.index0 }}" symbol="{{ loop.index0 }}" filter="{{ rule.condition }}" label="{{ rule.label }}"/>
      {% endfor %}
    </rules>
    <symbols>
      {% for rule in rules %}
      <symbol type="fill" name="{{ loop.index0 }}" alpha="1" clip_to_extent="1" force_rhr="0">
        {% if rule.colour %}
        <layer class="SimpleFill" enabled="1" pass="0" locked="0">
          <Option type="Map">
            <Option type="QString" name="color" value="{{ rule.colour }}"/>
            <Option type="QString" name="style" value="solid"/>
            <Option type="QString" name="outline_color" value="#8a949c"/>
            <Option type="QString" name="outline_style" value="solid"/>
            <Option type="QString" name="outline_width" value="0.1"/>
            <Option type="QString" name="outline_width_unit" value="MM"/>
          </Option>
        </layer>
        {% else %}
        <layer class="LinePatternFill" enabled="1" pass="0" locked="0">
          <Option type="Map">
            <Option type="QString" name="angle" value="45"/>
            <Option type="QString" name="distance" value="2"/>
            <Option type="QString" name="distance_unit" value="MM"/>
          </Option>
          <symbol type="line" name="@{{ loop.index0 }}@0" alpha="1" clip_to_extent="1" force_rhr="0">
            <layer class="SimpleLine" enabled="1" pass="0" locked="0">
              <Option type="Map">
                <Option type="QString" name="line_color" value="#1a1a1a"/>
                <Option type="QString" name="line_width" value="0.2"/>
                <Option type="QString" name="line_width_unit" value="MM"/>
              </Option>
            </layer>
          </symbol>
        </layer>
        {% endif %}
      </symbol>
      {% endfor %}
    </symbols>
  </renderer-v2>
  <aliases>
    {% for field in columns %}
    <alias field="{{ field.name }}" index="{{ loop.index }}" name="{{ field.label }}{% if field.unit %} ({{ field.unit }}){% endif %}"/>
    {% endfor %}
  </aliases>
</qgis>
