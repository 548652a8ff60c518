"""Steps of the flow, and the functions around them, against fakes of every port."""
